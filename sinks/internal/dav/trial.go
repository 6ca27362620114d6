package dav

import (
	"context"
	"net/http"
	"path"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
)

// Trial writes an object into a collection of its own and removes both again, to see whether that may be done.
type Trial struct {
	Client *Client
	// Make makes the collection at a path.
	Make func(ctx context.Context, path string) error
	// Object is the last segment of the object's path, Type and Data are what it is.
	Object, Type, Data string
}

// trialCollection is the last segment of the collection's path. Whatever is found there is a trial's.
const trialCollection = "repatriate-check"

// trialEnd bounds how long is cleaned up, also after a cancellation.
const trialEnd = 30 * time.Second

// Run makes the trial. What an interrupted one left is removed first; a collection in which something else lies is target.conflict.
func (t Trial) Run(ctx context.Context) (err error) {
	at := Canonical(t.Client.Home) + trialCollection + "/"
	if err := t.remove(ctx, at); err != nil {
		return err
	}
	defer func() {
		later, cancel := context.WithTimeout(context.WithoutCancel(ctx), trialEnd)
		defer cancel()
		if cleanErr := t.remove(later, at); err == nil {
			err = cleanErr
		}
	}()
	if err := t.Make(ctx, at); err != nil {
		return err
	}
	a, err := t.Client.Do(ctx, http.MethodPut, at+t.Object, http.Header{"Content-Type": {t.Type}, "If-None-Match": {"*"}}, []byte(t.Data))
	if err != nil {
		return err
	}
	if !a.OK() {
		return t.refused(a)
	}
	return nil
}

// refused is the meaning of a refusal for the account.
func (t Trial) refused(a *Answer) error {
	f := *fault.Of(t.Client.Fault(a))
	if f.Action == fault.FailItem {
		f.Action = fault.FailTask
	}
	if f.Reason == fault.TargetForbidden {
		f.Hint = "the account may only read here: give it the right to write, or correct the address in the job file"
	}
	return &f
}

// remove removes the collection with the object. Nextcloud would keep both in a trash bin, where they hold their names.
func (t Trial) remove(ctx context.Context, at string) error {
	l, err := t.Client.listing(ctx, at)
	if s := Status(err); s == http.StatusNotFound || s == http.StatusGone || s == http.StatusForbidden {
		return nil // Cyrus and others say 403 of what is not there; making it shows what is true
	}
	if err != nil {
		return err
	}
	for _, e := range l.entries {
		if path.Base(e.path) != t.Object {
			return fault.New(fault.FailTask, fault.TargetConflict, "the %s %s holds what no check wrote", t.Client.o.Collection, at).
				WithHint("rename it, or remove it if nobody needs it")
		}
	}
	for _, e := range l.entries {
		if err := t.delete(ctx, e.path); err != nil {
			return err
		}
	}
	return t.delete(ctx, at)
}

func (t Trial) delete(ctx context.Context, href string) error {
	a, err := t.Client.Do(ctx, http.MethodDelete, href, http.Header{"X-Nc-Caldav-No-Trashbin": {"1"}}, nil)
	switch {
	case err != nil:
		return err
	case a.OK(), a.Gone():
		return nil
	}
	f := *fault.Of(t.refused(a)).WithHint("remove " + strings.TrimSuffix(href, "/") + " by hand")
	return &f
}

// Absent is the fault of a home that is not where the job file says; nil for other answers. key names it in the job file.
func Absent(err error, what, key string) error {
	a := AnswerOf(err)
	if a == nil {
		return nil
	}
	switch a.Status {
	case http.StatusNotFound, http.StatusGone:
		return fault.New(fault.FailTask, fault.TargetInvalid, "%s: %w", what, a.Plain()).
			WithHint("nothing lies at this address: check " + key + " in the job file and the target user in the accounts file")
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return fault.New(fault.FailTask, fault.TargetInvalid, "%s: %w", what, a.Plain()).
			WithHint("there is no DAV server at this address: check " + key + " in the job file")
	case http.StatusForbidden:
		return fault.New(fault.FailTask, fault.TargetForbidden, "%s: %w", what, a.Plain()).
			WithHint("the account may not read this address: check " + key + " in the job file and the target user in the accounts file")
	}
	return nil
}
