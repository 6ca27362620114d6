// Package embedded serves WebDAV, IMAP, CalDAV and CardDAV from within the
// process, over TCP on 127.0.0.1, for the demonstration, for simulations and for
// fast tests.
//
// The servers are real protocol servers, and strict ones: they honour
// conditional requests, refuse what their RFC forbids and keep nothing of an
// upload that was cut. They are no servers for production: there is no TLS, and
// mail is held in memory.
package embedded

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"
)

// User may log in to every server, and owns one tree, one set of mailboxes, one
// calendar home and one address book home.
type User struct {
	Name     string
	Password string
}

// Master may act for every user where the protocol has a way to say so. IMAP:
// log in as "user*master", or SASL PLAIN with the user as authorization
// identity. HTTP: every user's resources may be used.
var Master = User{Name: "master", Password: "mastersecret"}

// Targets are all servers, started together.
type Targets struct {
	Files    *Files
	Mail     *Mail
	Calendar *Calendar
}

// Start starts all servers. Files, calendars and address books are kept beneath
// dir, which must exist, and found again when it is used again.
func Start(dir string, users []User) (*Targets, error) {
	targets := &Targets{}
	var err error
	if targets.Files, err = StartFiles(filepath.Join(dir, "files"), users); err != nil {
		return nil, err
	}
	if targets.Mail, err = StartMail(users); err != nil {
		return nil, errors.Join(err, targets.Close())
	}
	if targets.Calendar, err = StartCalendar(filepath.Join(dir, "calendar"), users); err != nil {
		return nil, errors.Join(err, targets.Close())
	}
	return targets, nil
}

// Close ends all servers and their connections.
func (t *Targets) Close() error {
	var err error
	if t.Files != nil {
		err = errors.Join(err, t.Files.Close())
	}
	if t.Mail != nil {
		err = errors.Join(err, t.Mail.Close())
	}
	if t.Calendar != nil {
		err = errors.Join(err, t.Calendar.Close())
	}
	return err
}

// accounts checks the users' names, which become names of directories and
// segments of URLs, and returns the passwords by name.
func accounts(users []User) (map[string]string, error) {
	passwords := map[string]string{Master.Name: Master.Password}
	for _, user := range users {
		if user.Name == "" || user.Name == "." || user.Name == ".." || strings.ContainsAny(user.Name, "/\\:*\x00") {
			return nil, fmt.Errorf("embedded: %q cannot be a user's name", user.Name)
		}
		if _, twice := passwords[user.Name]; twice {
			return nil, fmt.Errorf("embedded: the user %q exists already", user.Name)
		}
		passwords[user.Name] = user.Password
	}
	return passwords, nil
}

// httpServer is an HTTP server on a free port of 127.0.0.1.
type httpServer struct {
	root      string // URL without a trailing slash
	passwords map[string]string
	server    *http.Server
	done      chan struct{}
}

func startHTTP(passwords map[string]string, handler http.Handler) (*httpServer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &httpServer{root: "http://" + listener.Addr().String(), passwords: passwords, done: make(chan struct{})}
	s.server = &http.Server{Handler: s.authenticated(handler), ReadHeaderTimeout: time.Minute}
	go func() {
		defer close(s.done)
		_ = s.server.Serve(listener) // ends with ErrServerClosed, by Close alone
	}()
	return s, nil
}

// Close ends the server and all of its connections.
func (s *httpServer) Close() error {
	err := s.server.Close()
	<-s.done
	return err
}

func (s *httpServer) authenticated(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, password, ok := r.BasicAuth()
		if want, known := s.passwords[name]; !ok || !known || password != want {
			w.Header().Set("WWW-Authenticate", `Basic realm="repatriate", charset="UTF-8"`)
			http.Error(w, "unknown user or password", http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	})
}

// mayUse says whether the request's user may use the user's resources.
func mayUse(r *http.Request, user string) bool {
	name, _, _ := r.BasicAuth()
	return name == user || name == Master.Name
}

// userURL fills {user} of a URL form.
func userURL(form, user string) string {
	return strings.ReplaceAll(form, "{user}", url.PathEscape(user))
}
