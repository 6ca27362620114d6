package imap

import (
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks/imap/wire"
)

func TestRefusedLoginSaysWhatToDo(t *testing.T) {
	for _, code := range []string{"", "AUTHENTICATIONFAILED", "EXPIRED"} {
		f := fault.Of(new(Sink).loginFault(&wire.StatusError{Status: "NO", Code: code, Text: "no"}))
		if f.Action != fault.FailTask || f.Reason != fault.TargetAuth || f.Hint == "" {
			t.Errorf("%q: %v, %v, hint %q", code, f.Action, f, f.Hint)
		}
	}
}
