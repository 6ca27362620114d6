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
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
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

// Resolve reads the secret that ref names. dir is the folder that relative paths count from and that commands run in.
// Errors name the reference, which is no secret, and nothing of the value.
func Resolve(ctx context.Context, ref, dir string) (Secret, error) {
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
		value, err = fromFile(arg, dir)
	case "cmd":
		value, err = fromCommand(ctx, arg, dir)
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

func fromEnv(name string) ([]byte, error) {
	v, ok := os.LookupEnv(name)
	if !ok {
		return nil, errors.New("the environment has no such variable")
	}
	return []byte(v), nil
}

func fromFile(path, dir string) ([]byte, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxSize {
		return nil, errors.New("the file is too large for a secret")
	}
	return os.ReadFile(path)
}

func fromCommand(ctx context.Context, line, dir string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, cmdTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", line)
	cmd.Dir = dir
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("the command failed: %w", err)
	}
	if len(out) > maxSize {
		return nil, errors.New("the command prints too much for a secret")
	}
	return out, nil
}

func trimLine(b []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
}
