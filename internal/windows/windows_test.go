package windows_test

import (
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/windows"
)

const form = "Mon 2006-01-02 15:04 MST"

func at(t *testing.T, w windows.Windows, moment string) string {
	t.Helper()
	when, err := time.Parse(time.RFC3339, moment)
	if err != nil {
		t.Fatal(err)
	}
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	open, change := w.At(when)
	text := "closed until "
	if open {
		text = "open until "
	}
	if change.IsZero() {
		return text + "ever"
	}
	return text + change.In(paris).Format(form)
}

func TestAt(t *testing.T) {
	for _, c := range []struct{ windows, moment, want string }{
		{"", "2026-11-27T12:00:00Z", "open until ever"},
		{"mon-fri 20:00-06:00", "2026-11-27T12:00:00Z", "closed until Fri 2026-11-27 20:00 CET"},
		{"mon-fri 20:00-06:00", "2026-11-27T19:00:00Z", "open until Sat 2026-11-28 06:00 CET"},
		{"mon-fri 20:00-06:00", "2026-11-28T04:59:59Z", "open until Sat 2026-11-28 06:00 CET"},
		{"mon-fri 20:00-06:00", "2026-11-28T05:00:00Z", "closed until Mon 2026-11-30 20:00 CET"},
		{"mon-fri 20:00-06:00; sat-sun", "2026-11-27T20:00:00Z", "open until Mon 2026-11-30 00:00 CET"},
		{"mon-fri 20:00-06:00; sat-sun", "2026-11-30T04:00:00Z", "closed until Mon 2026-11-30 20:00 CET"},
		{"fri-mon", "2026-11-25T12:00:00Z", "closed until Fri 2026-11-27 00:00 CET"},
		{"fri-mon", "2026-11-29T12:00:00Z", "open until Tue 2026-12-01 00:00 CET"},
		{"mon,wed 08:00-12:00", "2026-11-27T12:00:00Z", "closed until Mon 2026-11-30 08:00 CET"},
		{"22:00-05:30", "2026-11-27T12:00:00Z", "closed until Fri 2026-11-27 22:00 CET"},
		{"mon-sun", "2026-11-27T12:00:00Z", "open until ever"},
		{"00:00-24:00", "2026-11-27T12:00:00Z", "open until ever"},
		{"08:00-08:00", "2026-11-27T12:00:00Z", "open until ever"},
		{"wed 08:00-24:00", "2026-11-25T12:00:00Z", "open until Thu 2026-11-26 00:00 CET"},
		// The clock is put forward at 02:00 on 29 March and back at 03:00 on 25 October.
		{"sun 02:30-04:00", "2026-03-29T00:00:00Z", "closed until Sun 2026-03-29 03:30 CEST"},
		{"sat 20:00-06:00", "2026-03-28T22:00:00Z", "open until Sun 2026-03-29 06:00 CEST"},
		{"sat 20:00-06:00", "2026-10-25T00:30:00Z", "open until Sun 2026-10-25 06:00 CET"},
		{"sun 20:00-22:00", "2026-03-29T20:00:00Z", "closed until Sun 2026-04-05 20:00 CEST"},
	} {
		var texts []string
		for text := range strings.SplitSeq(c.windows, "; ") {
			if text != "" {
				texts = append(texts, text)
			}
		}
		w, err := windows.Parse(texts, "Europe/Paris")
		if err != nil {
			t.Errorf("%s: %v", c.windows, err)
			continue
		}
		if got := at(t, w, c.moment); got != c.want {
			t.Errorf("%q at %s: %s, want %s", c.windows, c.moment, got, c.want)
		}
	}
}

// TestFrom yields each window once, the one that is open already from the given moment on.
func TestFrom(t *testing.T) {
	w, err := windows.Parse([]string{"mon-fri 20:00-06:00", "sat-sun"}, "Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, 11, 26, 22, 0, 0, 0, time.UTC) // a Thursday
	var got []string
	for begin, end := range w.From(from) {
		got = append(got, begin.Format(form)+" - "+end.Format(form))
		if len(got) == 3 {
			break
		}
	}
	want := "Thu 2026-11-26 23:00 CET - Fri 2026-11-27 06:00 CET; Fri 2026-11-27 20:00 CET - Mon 2026-11-30 00:00 CET; " +
		"Mon 2026-11-30 20:00 CET - Tue 2026-12-01 06:00 CET"
	if strings.Join(got, "; ") != want {
		t.Errorf("%q", got)
	}
	always, _ := windows.Parse([]string{"mon-sun"}, "")
	for begin := range always.From(from) {
		t.Errorf("windows that never close begin at %v", begin)
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"": "write it like", "moon": "the days are", "mon-": "the days are", "mon 25:00-26:00": "write it like", "mon 8-12": "write it like",
		"mon 08:00": "write it like", "mon 08:00-12:00 tue": "write it like", "08:00-12:00 mon": "write it like", "24:00-06:00": "write it like",
		"mon 8:00-12:00": "write it like", "mon--fri": "the days are", "é": "the days are",
	} {
		if _, err := windows.Parse([]string{text}, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := windows.Parse(nil, "Mars/Olympus"); err == nil {
		t.Error("a zone that is not there was taken")
	}
}

// FuzzParse holds that what is taken has an answer for each moment, and that the answer's change is later.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"mon-fri 20:00-06:00", "sat-sun", "00:00-24:00", "mon,wed 08:00-12:00"} {
		f.Add(text, int64(1_795_780_800))
	}
	f.Fuzz(func(t *testing.T, text string, second int64) {
		w, err := windows.Parse([]string{text}, "Europe/Paris")
		if err != nil {
			return
		}
		now := time.Unix(second%4e9, 0)
		open, change := w.At(now)
		switch {
		case change.IsZero() && !open:
			t.Errorf("%q never opens", text)
		case !change.IsZero() && !change.After(now):
			t.Errorf("%q changed at %v, before %v", text, change, now)
		case !change.IsZero():
			if again, _ := w.At(change); again == open {
				t.Errorf("%q does not change at %v", text, change)
			}
		}
	})
}

// TestFirstOn: the morning that ends a window belongs to the day before.
func TestFirstOn(t *testing.T) {
	for _, c := range []struct {
		windows   []string
		day, want string
	}{
		{[]string{"mon-fri 20:00-06:00"}, "2026-12-01 00:00", "2026-12-01 06:00"},
		{[]string{"mon-fri 20:00-06:00"}, "2026-12-06 00:00", "2026-12-06 00:00"},
		{[]string{"mon-fri 20:00-06:00", "sat-sun"}, "2026-12-05 00:00", "2026-12-05 00:00"},
		{[]string{"mon-fri 20:00-06:00", "sat-sun"}, "2026-12-06 00:00", "2026-12-06 00:00"},
		{[]string{"mon-fri 00:00-05:00"}, "2026-12-01 00:00", "2026-12-01 00:00"},
		{[]string{"mon 12:00-00:00", "tue 00:00-05:00"}, "2026-12-01 00:00", "2026-12-01 05:00"},
		{nil, "2026-12-01 00:00", "2026-12-01 00:00"},
	} {
		w, err := windows.Parse(c.windows, "UTC")
		if err != nil {
			t.Fatal(err)
		}
		day, err := time.ParseInLocation("2006-01-02 15:04", c.day, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.FirstOn(day).Format("2006-01-02 15:04"); got != c.want {
			t.Errorf("%q, %s: %s, want %s", c.windows, c.day, got, c.want)
		}
	}
}
