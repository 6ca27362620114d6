// Command serve starts every real server that is installed on this machine,
// prints where it listens and who may log in, and runs until it is interrupted.
// What it wrote is gone afterwards.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"codeberg.org/repatriate/repatriate/internal/realserver"
)

func main() {
	users := flag.String("users", "", "further users, separated by commas")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, *users); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, users string) (err error) {
	dir, err := os.MkdirTemp("", "servers")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	accounts := realserver.Accounts{}
	if users != "" {
		accounts.Names = strings.Split(users, ",")
	}
	running, err := startAll(dir, accounts)
	for _, server := range running {
		defer func() { err = errors.Join(err, server.Stop()) }()
	}
	if err != nil {
		return err
	}
	fmt.Println("Ctrl-C ends them.")
	<-ctx.Done()
	return nil
}

// startAll returns those that run, also together with an error.
func startAll(dir string, accounts realserver.Accounts) ([]*realserver.Server, error) {
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, err
	}
	starts := []func(dir string) (*realserver.Server, error){
		func(dir string) (*realserver.Server, error) {
			return realserver.StartDovecot(dir, realserver.DovecotOptions{Accounts: accounts})
		},
		func(dir string) (*realserver.Server, error) {
			return realserver.StartCyrus(dir, realserver.CyrusOptions{Accounts: accounts})
		},
		func(dir string) (*realserver.Server, error) {
			return realserver.StartRadicale(dir, realserver.RadicaleOptions{Accounts: accounts})
		},
		func(dir string) (*realserver.Server, error) {
			return realserver.StartApache(dir, realserver.ApacheOptions{Accounts: accounts})
		},
	}
	var running []*realserver.Server
	for i, start := range starts {
		own := filepath.Join(dir, fmt.Sprint(i))
		if err := os.Mkdir(own, 0o755); err != nil {
			return running, err
		}
		server, err := start(own)
		if errors.Is(err, realserver.ErrNotInstalled) {
			fmt.Println(err)
			continue
		}
		if err != nil {
			return running, err
		}
		running = append(running, server)
		describe(server)
	}
	return running, nil
}

func describe(s *realserver.Server) {
	fmt.Println(s.Name)
	user := s.Accounts[0]
	for _, line := range [][2]string{
		{"files", s.FilesURL(user.User)}, {"calendars", s.CalendarsURL(user.User)}, {"address books", s.AddressBooksURL(user.User)},
		{"imap", s.IMAP}, {"imaps", s.IMAPS}, {"certificate", s.CertFile},
	} {
		if line[1] != "" {
			fmt.Printf("  %-14s %s\n", line[0], line[1])
		}
	}
	fmt.Printf("  %-14s %s to %s, password %s\n", "users", user.User, s.Accounts[len(s.Accounts)-1].User, user.Password)
	if s.Master.User != "" {
		fmt.Printf("  %-14s %s, password %s\n", "administrator", s.Master.User, s.Master.Password)
	}
}
