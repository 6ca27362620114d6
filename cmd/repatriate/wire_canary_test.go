package main

import (
	"context"
	"errors"
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
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
