package realserver

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const (
	startTimeout = 60 * time.Second // generous: machines that build at the same time are slow
	stopTimeout  = 10 * time.Second
	pollInterval = 20 * time.Millisecond
)

// errEarlyEnd says that the server ended before it answered, which happens
// when somebody took a probed port in between.
var errEarlyEnd = errors.New("server ended while it started")

// process is a child in a process group of its own.
type process struct {
	cmd     *exec.Cmd
	started chan error
	done    chan struct{}
	endOnce sync.Once
	endErr  error
}

// startProcess runs the command in the foreground with its output in
// dir/output.log. The kernel ends the child together with this process
// (PR_SET_PDEATHSIG), which is bound to the thread that forked: hence the
// locked thread that stays until the child has ended.
func startProcess(dir string, cmd *exec.Cmd) (*process, error) {
	if err := os.RemoveAll(filepath.Join(dir, "server.log")); err != nil {
		return nil, err
	}
	out, err := os.OpenFile(filepath.Join(dir, "output.log"), os.O_CREATE|os.O_TRUNC|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }()
	cmd.Stdout, cmd.Stderr = out, out
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.SysProcAttr.Pdeathsig = syscall.SIGTERM
	p := &process{cmd: cmd, started: make(chan error, 1), done: make(chan struct{})}
	go p.run()
	return p, <-p.started
}

func (p *process) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(p.done)
	err := p.cmd.Start()
	p.started <- err
	if err == nil {
		_ = p.cmd.Wait() // how it ended is of no interest: servers differ in their exit codes
	}
}

// stop asks all processes of the group to end; they are killed when they do not.
func (p *process) stop() error { return p.endWith(syscall.SIGTERM) }

// kill ends the whole group at once.
func (p *process) kill() error { return p.endWith(syscall.SIGKILL) }

func (p *process) endWith(signal syscall.Signal) error {
	p.endOnce.Do(func() { p.endErr = p.end(signal) })
	return p.endErr
}

func (p *process) end(signal syscall.Signal) error {
	group := -p.cmd.Process.Pid
	_ = syscall.Kill(group, signal) // Dovecot takes seconds when its master alone is told
	select {
	case <-p.done:
	case <-time.After(stopTimeout):
		_ = syscall.Kill(group, syscall.SIGKILL)
		<-p.done
	}
	return EndGroup(-group)
}

// EndGroup waits for the children of a main process that has ended, and that led
// the process group of its pid: first for them to end themselves, then after SIGKILL.
func EndGroup(pid int) error {
	group := -pid
	for _, limit := range []time.Duration{300 * time.Millisecond, stopTimeout} {
		for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(pollInterval) {
			if errors.Is(syscall.Kill(group, 0), syscall.ESRCH) {
				return nil
			}
		}
		_ = syscall.Kill(group, syscall.SIGKILL)
	}
	return fmt.Errorf("process group %d does not end", -group)
}

// waitReady returns when each address accepts a connection and speaks: an IMAP
// server greets, an HTTP server answers a request.
func (p *process) waitReady(imap, http []string) error {
	for _, addr := range imap {
		if err := p.waitFor(addr, ""); err != nil {
			return err
		}
	}
	for _, addr := range http {
		if err := p.waitFor(addr, "OPTIONS / HTTP/1.0\r\nHost: localhost\r\n\r\n"); err != nil {
			return err
		}
	}
	return nil
}

func (p *process) waitFor(addr, send string) error {
	var last error
	for end := time.Now().Add(startTimeout); time.Now().Before(end); {
		if last = speak(addr, send); last == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%w: %w", errEarlyEnd, last)
		case <-time.After(pollInterval):
		}
	}
	return fmt.Errorf("no answer within %s: %w", startTimeout, last)
}

// converse sends a text and reads at least that many bytes of what comes back,
// at most 4 KiB.
func converse(addr, send string, least int) (string, error) {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(conn, send); err != nil {
		return "", err
	}
	answer := make([]byte, 4<<10)
	n, err := io.ReadAtLeast(conn, answer, least)
	return string(answer[:n]), err
}

// speak sends a text and waits for the first byte that comes back.
func speak(addr, send string) error {
	_, err := converse(addr, send, 1)
	return err
}
