// Command repatriate moves an organisation off Google Workspace onto open servers: files to WebDAV, mail to IMAP,
// calendars to CalDAV.
package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/signal"
	"runtime/debug"
	"sync/atomic"
	"syscall"

	"golang.org/x/term"

	"codeberg.org/repatriate/repatriate/checkpoint"
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

func main() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	if columns, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
		fitTo(columns)
	}
	os.Exit(run(os.Args[1:]))
}

// liftMemoryLimit is for a process that holds an organisation and its mailboxes in memory: the garbage collector would work
// all the time in vain.
func liftMemoryLimit() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(math.MaxInt64)
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
	fmt.Fprintf(os.Stderr, "repatriate: %v\n", err)
	if errors.Is(err, checkpoint.ErrLocked) {
		fmt.Fprintln(os.Stderr, "Another command works on this job. Wait for its end; 'repatriate status JOB.yaml --watch' shows how far a run is.")
	}
	return exitCode(ctx, err)
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
	case errors.Is(err, checkpoint.ErrLocked):
		return exitUsage
	default:
		return exitInternal
	}
}

// quietEnd says that an interrupt is the way to end the command, and ends nothing that matters.
var quietEnd atomic.Bool

// interruptible returns a context that the first interrupt ends; the second ends the process.
func interruptible(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		for range signals {
			if ctx.Err() != nil {
				stderr.Clear()
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
