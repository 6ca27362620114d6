// Command repatriate moves an organisation off Google Workspace or Microsoft 365 onto open servers: files to WebDAV, mail to IMAP,
// calendars and tasks to CalDAV, contacts to CardDAV.
package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// The exit codes; the help of the root command explains them.
const (
	exitOK          = 0
	exitInternal    = 1
	exitUsage       = 2
	exitIncomplete  = 3
	exitStopped     = 4
	exitInterrupted = 130
)

// memoryLimit is where the garbage collector begins to work harder, so that the process stays below 150 MB. GOMEMLIMIT
// overrides it.
const memoryLimit = 96 << 20

// garbage is how much of it there may be for each 100 bytes in use before it is collected. There is little, since the memory of messages
// is used again, so that half of Go's usual 100 costs next to nothing and keeps the process small. GOGC overrides it.
const garbage = 50

func main() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	if columns, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
		fitTo(columns)
	}
	cobra.EnableCommandSorting = false // they stand in the order of a migration
	os.Exit(run(os.Args[1:]))
}

// liftMemoryLimit is for a process that holds an organisation and its mailboxes in memory: the garbage collector would work
// all the time in vain.
func liftMemoryLimit() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(math.MaxInt64)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(100)
	}
}

func run(args []string) int {
	ctx, stop := interruptible(context.Background())
	defer stop()
	root := newRoot()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	var exit exitError
	if errors.As(err, &exit) && exit.err == nil {
		return exit.code
	}
	complain(ctx, err, jobIn(args))
	return exitCode(ctx, err)
}

// complain says what ended the program, and what to do about it. On a terminal lines end between words.
func complain(ctx context.Context, err error, job string) {
	say := func(text string) {
		if stderr.Terminal() {
			text = report.Wrap(text, 0)
		}
		fmt.Fprintln(os.Stderr, text)
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) { // whatever was being done then
		say("repatriate: interrupted")
		return
	}
	say(fmt.Sprintf("repatriate: %v", err))
	switch {
	case errors.Is(err, checkpoint.ErrLocked):
		say("Another command works on this job. Wait for its end. To see how far a run is: repatriate status " + job + " --watch")
	case diskFull(err):
		say("Make room where the state file lies, and run again: it goes on where it stopped. Nothing is lost.")
	}
}

// jobIn returns the job file among the arguments of a command.
func jobIn(args []string) string {
	for _, a := range args {
		if ext := filepath.Ext(a); (ext == ".yaml" || ext == ".yml") && !strings.HasPrefix(a, "-") {
			return a
		}
	}
	return "JOB.yaml"
}

// exitError ends the process with a code; err, if there is one, is printed.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e exitError) Unwrap() error { return e.err }

// usage marks an error as one of the command line or the configuration.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return exitError{exitUsage, err}
}

func exitCode(ctx context.Context, err error) int {
	var exit exitError
	switch {
	case errors.As(err, &exit):
		return exit.code
	case ctx.Err() != nil:
		return exitInterrupted
	case diskFull(err):
		return exitStopped
	case errors.Is(err, checkpoint.ErrLocked), otherState(err):
		return exitUsage
	default:
		return exitInternal
	}
}

// quietEnd says that an interrupt is the way to end the command, and ends nothing that matters.
var quietEnd atomic.Bool

// mostPatience is how long what nobody reads may keep the program from ending.
const mostPatience = time.Second

// sayStopped says that the end was sudden. Whoever keeps the screen from being written to keeps the program from nothing.
func sayStopped() {
	said := make(chan struct{})
	go func() {
		defer close(said)
		if !quietEnd.Load() {
			fmt.Fprintln(os.Stderr, "\nrepatriate: stopped at once; nothing is lost: the next run goes on")
		}
	}()
	select {
	case <-said:
	case <-time.After(mostPatience):
	}
}

// interruptible returns a context that the first interrupt ends; the second ends the process.
func interruptible(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		for range signals {
			if ctx.Err() != nil {
				stderr.Clear()
				sayStopped()
				os.Exit(exitInterrupted)
			}
			if !quietEnd.Load() {
				fmt.Fprintln(stderr, "\nrepatriate: ending what is under way; press Ctrl-C again to stop at once")
			}
			cancel()
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(signals)
		cancel()
	}
}
