package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"codeberg.org/repatriate/repatriate/internal/htmlreport"
)

// reportFiles are the files that a report is written to, for their owner alone. Until all of it is written there is none,
// and a file that is to be replaced stays whole.
type reportFiles struct {
	force   bool
	files   []*reportFile
	writers []htmlreport.Writer
	flush   []func() error
	release []func()
	folder  string
	made    []string
}

// reportFile is written under a name of its own if it replaces another one.
type reportFile struct {
	*os.File
	path string
	done bool
}

func createReport(path string, force bool) (*reportFile, error) {
	if force {
		f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
		if err != nil {
			return nil, err
		}
		return &reportFile{File: f, path: path}, nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%w: %w", thereAlready(path), fs.ErrExist)
	}
	if err != nil {
		return nil, err
	}
	return &reportFile{File: f, path: path}, nil
}

// keep gives the file its name, for good.
func (f *reportFile) keep() error {
	f.done = true
	err := f.Close()
	if err == nil && f.Name() != f.path {
		err = os.Rename(f.Name(), f.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// drop takes the file away, unless it was kept.
func (f *reportFile) drop() error {
	if f.done {
		return nil
	}
	f.done = true
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// replace writes one whole file.
func (w *reportFiles) replace(path string, write func(io.Writer) error) error {
	f, err := createReport(path, w.force)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		return errors.Join(err, f.drop())
	}
	return f.keep()
}

func (w *reportFiles) create(path string) (io.Writer, error) {
	f, err := createReport(path, w.force)
	if err != nil {
		return nil, usageIfThere(err)
	}
	w.files = append(w.files, f)
	return f, nil
}

// finish makes what was written last.
func (w *reportFiles) finish() error {
	for _, flush := range w.flush {
		if err := flush(); err != nil {
			return err
		}
	}
	for _, f := range w.files {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	for _, f := range w.files {
		if err := f.keep(); err != nil {
			return err
		}
		w.made = append(w.made, f.path)
	}
	if w.folder != "" {
		w.made = append(w.made, w.folder)
	}
	return nil
}

// announced finishes the files and says which ones were made.
func (w *reportFiles) announced(stderr io.Writer) error {
	if err := w.finish(); err != nil {
		return usageIfThere(err)
	}
	for _, name := range w.made {
		fmt.Fprintln(stderr, "written:", name)
	}
	return nil
}

// close takes away what was not finished.
func (w *reportFiles) close() error {
	for _, release := range w.release {
		release()
	}
	var errs []error
	for _, f := range w.files {
		errs = append(errs, f.drop())
	}
	return errors.Join(errs...)
}
