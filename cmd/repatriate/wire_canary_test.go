package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/caldav"
)

type spySink struct {
	sinks.Keeper[sinks.Event]
	puts, removes int
}

func (s *spySink) Put(context.Context, sinks.Item[sinks.Event], sinks.Receipt) (sinks.Written, error) {
	s.puts++
	return sinks.Written{}, nil
}

func (s *spySink) Remove(context.Context, sinks.Receipt) error {
	s.removes++
	return nil
}

func TestNothingIsWrittenBeforeTheCanary(t *testing.T) {
	heard := fault.New(fault.FailTask, fault.TargetHeard, "the guest heard of it")
	answers := []error{fault.New(fault.Retry, fault.TargetUnavailable, "503"), heard, nil}
	asked := 0
	canary := onceFor(func(context.Context) error {
		asked++
		return answers[asked-1]
	})
	spy := new(spySink)
	s := canaryFirst{spy, canary}
	if _, err := s.Put(t.Context(), sinks.Item[sinks.Event]{}, sinks.Receipt{}); fault.Of(err).Reason != fault.TargetUnavailable {
		t.Errorf("first: %v", err)
	}
	for range 3 {
		if _, err := s.Put(t.Context(), sinks.Item[sinks.Event]{}, sinks.Receipt{}); !errors.Is(err, heard) {
			t.Errorf("after the guest heard: %v", err)
		}
		if err := s.Remove(t.Context(), sinks.Receipt{}); !errors.Is(err, heard) {
			t.Errorf("after the guest heard: %v", err)
		}
	}
	if asked != 2 || spy.puts+spy.removes != 0 {
		t.Errorf("asked %d times, %d writes", asked, spy.puts+spy.removes)
	}
}

func TestSilentCanaryIsAskedOnce(t *testing.T) {
	asked := 0
	spy := new(spySink)
	s := canaryFirst{spy, onceFor(func(context.Context) error { asked++; return nil })}
	for range 3 {
		if _, err := s.Put(t.Context(), sinks.Item[sinks.Event]{}, sinks.Receipt{}); err != nil {
			t.Fatal(err)
		}
	}
	if asked != 1 || spy.puts != 3 {
		t.Errorf("asked %d times, %d writes", asked, spy.puts)
	}
}

// TestCanaryFindsAnOrganizer passes over accounts that cannot log in or whose calendars refuse the event, and over nothing else.
func TestCanaryFindsAnOrganizer(t *testing.T) {
	forbidden := fault.New(fault.FailItem, fault.TargetForbidden, "403")
	heard := fault.New(fault.FailTask, fault.TargetHeard, "the guest heard of it")
	away := fault.New(fault.Retry, fault.TargetUnavailable, "503")
	address := fault.New(fault.FailTask, fault.TargetUnsupported, "no mail address")
	login := fault.New(fault.FailTask, fault.TargetAuth, "401")
	tests := []struct {
		name     string
		accounts map[string]error // by user: what its login says
		order    string
		answers  map[string]error // by organizer
		sent     bool
		tried    string
		reason   fault.Reason
	}{
		{name: "all is well", order: "abc", sent: true, tried: "ab "},
		{name: "a login that is refused", order: "abc", accounts: map[string]error{"a": login}, sent: true, tried: "bc "},
		{name: "a calendar that may only be read", order: "abc", answers: map[string]error{"a": forbidden}, sent: true, tried: "ab ba "},
		{name: "two of them", order: "abc", answers: map[string]error{"a": forbidden, "b": forbidden}, sent: true, tried: "ab ba bc cb "},
		{name: "an account without an address", order: "abc", answers: map[string]error{"a": address, "b": address}, sent: true, tried: "ab ba bc cb "},
		{name: "all of them", order: "ab", answers: map[string]error{"a": forbidden, "b": forbidden}, tried: "ab ba ", reason: fault.TargetForbidden},
		{name: "a guest hears", order: "abc", answers: map[string]error{"a": heard}, tried: "ab ", reason: fault.TargetHeard},
		{name: "a server that is away", order: "abc", answers: map[string]error{"a": away}, tried: "ab ", reason: fault.TargetUnavailable},
		{name: "one account", order: "a"},
	}
	for _, test := range tests {
		tried := ""
		accounts := func(yield func(caldav.Options, error) bool) {
			for _, user := range strings.Split(test.order, "") {
				if !yield(caldav.Options{User: user}, test.accounts[user]) {
					return
				}
			}
		}
		sent, _, err := canaryAmong(t.Context(), accounts, func(organizer, guest caldav.Options) error {
			tried += organizer.User + guest.User + " "
			return test.answers[organizer.User]
		})
		if sent != test.sent || tried != test.tried || (err != nil) != (test.reason != "") || err != nil && fault.Of(err).Reason != test.reason {
			t.Errorf("%s: sent %v, tried %q, %v", test.name, sent, tried, err)
		}
		if err != nil && test.reason == fault.TargetForbidden && fault.Of(err).Action != fault.FailTask {
			t.Errorf("%s: asked for each event again: %v", test.name, err)
		}
	}
}
