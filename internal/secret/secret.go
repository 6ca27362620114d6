// Package secret reads secrets that are named in the configuration and never written there.
//
// A reference is "env:NAME", "file:PATH" (relative paths count from the job file) or "cmd:COMMAND LINE", whose standard
// output it is. One line break at the end is not part of the secret.
package secret

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Secret is a value that shows itself to nobody but Reveal's caller.
type Secret struct{ value []byte }

// New returns a Secret that is held already.
func New(value []byte) Secret { return Secret{bytes.Clone(value)} }

// Reveal returns the value.
func (s Secret) Reveal() string { return string(s.value) }

// Bytes returns a copy of the value.
func (s Secret) Bytes() []byte { return bytes.Clone(s.value) }

// hidden is what stands in the place of a value.
const hidden = "(secret)"

// String keeps the value out of texts.
func (Secret) String() string { return hidden }

// GoString keeps the value out of what %#v prints.
func (Secret) GoString() string { return hidden }

// LogValue keeps the value out of the log.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText keeps the value out of documents, JSON among them.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// maxSize bounds a secret; a service account's key has some 2,400 bytes.
const maxSize = 1 << 20

// cmdTimeout bounds how long a command may take to print its secret.
const cmdTimeout = time.Minute

// Check reports whether ref is a reference by its form, without reading anything.
func Check(ref string) error {
	kind, arg, ok := strings.Cut(ref, ":")
	if ok && arg != "" && (kind == "env" || kind == "file" || kind == "cmd") {
		return nil
	}
	return errors.New("a secret is named, never written: use env:NAME, file:PATH or cmd:COMMAND")
}

// From returns a reference that means from anywhere what ref means in dir, which is an absolute path.
func From(ref, dir string) string {
	kind, arg, _ := strings.Cut(ref, ":")
	switch {
	case kind == "file" && !filepath.IsAbs(arg):
		return "file:" + filepath.Join(dir, arg)
	case kind == "cmd":
		return "cmd:cd '" + strings.ReplaceAll(dir, "'", `'\''`) + "' && " + arg
	}
	return ref
}

// Reader reads secrets.
type Reader struct {
	// Dir is the folder that relative paths count from and that commands run in.
	Dir string
	// Hidden are references, of which the environment variables are kept from commands.
	Hidden []string
}

// Resolve is Reader.Resolve with nothing hidden.
func Resolve(ctx context.Context, ref, dir string) (Secret, error) {
	return Reader{Dir: dir}.Resolve(ctx, ref)
}

// Resolve reads the secret that ref names. Errors name the reference, which is no secret, and nothing of the value.
func (r Reader) Resolve(ctx context.Context, ref string) (Secret, error) {
	if err := Check(ref); err != nil {
		return Secret{}, err
	}
	kind, arg, _ := strings.Cut(ref, ":")
	var value []byte
	var err error
	switch kind {
	case "env":
		value, err = fromEnv(arg)
	case "file":
		value, err = fromFile(r.path(arg))
	case "cmd":
		value, err = r.fromCommand(ctx, arg)
	}
	if err != nil {
		return Secret{}, fmt.Errorf("secret %s: %w", ref, err)
	}
	value = trimLine(value)
	if len(value) == 0 {
		return Secret{}, fmt.Errorf("secret %s: it is empty", ref)
	}
	return Secret{value}, nil
}

// Exposed returns the file that ref names and its permissions if others than its owner may read or change it; otherwise, and for a
// reference to anything else, an empty path.
func (r Reader) Exposed(ref string) (path string, mode os.FileMode) {
	name, ok := strings.CutPrefix(ref, "file:")
	if !ok {
		return "", 0
	}
	info, err := os.Stat(r.path(name))
	if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o077 == 0 {
		return "", 0
	}
	return r.path(name), info.Mode().Perm()
}

func (r Reader) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(r.Dir, name)
}

func fromEnv(name string) ([]byte, error) {
	v, ok := os.LookupEnv(name)
	if !ok {
		return nil, errors.New("the environment has no such variable")
	}
	return []byte(v), nil
}

// fromFile reads also what has no size of its own, such as /dev/stdin or what the shell makes of <(…).
func fromFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	value, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err == nil && len(value) > maxSize {
		err = errors.New("the file is too large for a secret")
	}
	return value, err
}

func (r Reader) fromCommand(ctx context.Context, line string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, cmdTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", line)
	cmd.Dir = r.Dir
	cmd.Env = slices.DeleteFunc(os.Environ(), r.hides)
	cmd.WaitDelay = time.Second
	out := &bounded{cancel: cancel}
	cmd.Stdout = out // what it writes to standard error is dropped: nobody knows what stands in it
	err := cmd.Run()
	switch {
	case out.over:
		return nil, errors.New("the command prints too much for a secret")
	case err != nil:
		return nil, fmt.Errorf("the command failed: %w", err)
	}
	return out.text, nil
}

// hides reports whether a variable, with its value, is kept from commands.
func (r Reader) hides(variable string) bool {
	name, _, _ := strings.Cut(variable, "=")
	return slices.Contains(r.Hidden, "env:"+name)
}

// bounded takes as much as a secret may have, and ends who writes more.
type bounded struct {
	text   []byte
	cancel func()
	over   bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if len(b.text)+len(p) > maxSize {
		b.over = true
		b.cancel()
		return 0, io.ErrShortWrite
	}
	b.text = append(b.text, p...)
	return len(p), nil
}

func trimLine(b []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
}
