package caldav

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
)

// real is an object of the shared data.
type real struct{ id, uid, data string }

// realObjects returns the objects of each calendar of the shared data that have components of the name, one for each UID, with some of the
// events of large ones.
func realObjects(tb testing.TB, name string) []real {
	tb.Helper()
	files, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "data", "ical", "*.ics"))
	if len(files) == 0 {
		if os.Getenv("CI") == "true" {
			tb.Fatal("the shared data is missing")
		}
		tb.Skip("the shared data is missing")
	}
	var all []real
	for n, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		calendar, err := icalendar.Parse(data)
		if err != nil {
			continue
		}
		all = append(all, objectsOf(calendar, name, n)...)
	}
	return all
}

const mostOfOneFile = 8

func objectsOf(calendar *icalendar.Component, name string, n int) []real {
	objects, uids := map[string]*icalendar.Component{}, []string{}
	for _, c := range calendar.Children(name) {
		uid, _ := c.Get("UID")
		if uid.Text() == "" || c.Value("DTSTART")+c.Value("SUMMARY") == "" {
			continue
		}
		o := objects[uid.Text()]
		if o == nil {
			o = icalendar.New("VCALENDAR")
			o.Add(icalendar.Raw("VERSION", "2.0"), icalendar.Text("PRODID", "-//repatriate//test//EN"))
			o.Components = append(o.Components, calendar.Children("VTIMEZONE")...)
			objects[uid.Text()], uids = o, append(uids, uid.Text())
		}
		legal(c, n)
		o.Components = append(o.Components, c)
	}
	var all []real
	for i, uid := range uids[:min(len(uids), mostOfOneFile)] {
		all = append(all, real{fmt.Sprint("file", n, "-", i), uid, string(objects[uid].Bytes())})
	}
	return all
}

// legal makes of a component what this program would write: servers cut a text at a comma that is not escaped, and take exceptions of
// another type than the start, and rules that are none, for something else. All the rest is as it came.
func legal(c *icalendar.Component, n int) {
	start, _ := c.Get("DTSTART")
	var kept []icalendar.Property
	for _, p := range c.Properties {
		switch p.Name {
		case "SUMMARY", "DESCRIPTION", "LOCATION":
			p.Value = icalendar.EscapeText(p.Text())
		case "UID": // files share them, and servers want theirs unique
			p.Value = fmt.Sprint("file", n, "-", p.Value)
		case "RRULE", "EXRULE":
			if _, err := icalendar.ParseRule(p.Value); err != nil {
				continue
			}
		case "EXDATE":
			if strings.Contains(p.Value, "T") != strings.Contains(start.Value, "T") {
				continue
			}
		}
		kept = append(kept, p)
	}
	c.Properties = kept
	if c.Value("DTSTAMP") == "" {
		c.Add(icalendar.Raw("DTSTAMP", "20240101T000000Z"))
	}
}

// inspected is a sink with what it is written and read by.
type inspected interface {
	sinks.Inspector
	put(ctx context.Context, id, data string) (sinks.Written, error)
}

type eventSink struct{ *Sink }

func (s eventSink) put(ctx context.Context, id, data string) (sinks.Written, error) {
	return s.Put(ctx, sinks.Item[sinks.Event]{ID: id, Content: sinks.Event{Data: []byte(data)}}, sinks.Receipt{})
}

type taskSink struct{ *Tasks }

func (s taskSink) put(ctx context.Context, id, data string) (sinks.Written, error) {
	return s.Put(ctx, sinks.Item[sinks.Task]{ID: id, Content: sinks.Task{Data: []byte(data)}}, sinks.Receipt{})
}

// TestRealObjectsAreTheSame as they were written, on servers that rewrite them.
func TestRealObjectsAreTheSame(t *testing.T) {
	events, tasks := realObjects(t, "VEVENT"), realObjects(t, "VTODO")
	embedded := startEmbedded(t)
	radicale := realserver.Radicale(t, realserver.RadicaleOptions{})
	cyrus := realserver.Cyrus(t, realserver.CyrusOptions{Accounts: realserver.Accounts{Count: 2}})
	for name, o := range map[string]Options{
		"embedded": options(embedded.UserURL("u1"), "u1"),
		"Radicale": options(radicale.CalendarsURL("u1"), "u1"),
		"Cyrus":    options(cyrus.CalendarsURL(cyrus.User(1).User), cyrus.User(1).User),
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			same(t, eventSink{s}, events, 150)
			o.Collection.ID += "tasks"
			o.Collection.Components = []string{"VTODO"}
			todo, err := OpenTasks(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = todo.Close() }()
			same(t, taskSink{todo}, tasks, 1)
		})
	}
}

// same writes all objects and checks that each is found as it was written. Those that a server refuses do not count.
func same(t *testing.T, s inspected, objects []real, least int) {
	t.Helper()
	proofs, data, refused, rewritten := map[string]sinks.Proof{}, map[string]string{}, 0, 0
	for _, o := range objects {
		w, err := s.put(t.Context(), o.id, o.data)
		if err != nil {
			refused++
			continue
		}
		rewritten += len(w.Losses)
		proofs[w.Receipt.Location] = sinks.Proof{Receipt: w.Receipt, Digest: w.Digest}
		data[w.Receipt.Location] = o.data
	}
	byMeaning := 0
	for o, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		p, ours := proofs[o.Location]
		v := s.Compare(o, p)
		if !ours || v != sinks.Same || o.Twin != s.Expect(p).Twin {
			t.Errorf("%s (%q) is %v: %s, not %s\n%s", o.Location, o.Title, v, o.Digest, p.Digest, data[o.Location])
		}
		if !strings.HasPrefix(o.Digest, cmp.Or(p.Digest, "?")) {
			byMeaning++
		}
		delete(proofs, o.Location)
	}
	for at := range proofs {
		t.Errorf("%s is not listed", at)
	}
	t.Logf("%d objects, %d refused, %d rewritten at once, %d the same by their meaning alone", len(data), refused, rewritten, byMeaning)
	if len(data) < least {
		t.Errorf("only %d objects were compared", len(data))
	}
}
