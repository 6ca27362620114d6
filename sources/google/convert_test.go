package google

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/calendar/v3"
	"google.golang.org/api/drive/v3"

	"codeberg.org/repatriate/repatriate/sources"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a value, as JSON without what is empty, with the file.
func golden(t *testing.T, path string, v any) {
	t.Helper()
	full, err := json.Marshal(v)
	must(t, err)
	must(t, json.Unmarshal(full, &v))
	v = prune(v)
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	must(t, enc.Encode(v))
	if *update {
		must(t, os.WriteFile(path, b.Bytes(), 0o644))
		return
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("%s: got\n%s", path, b.Bytes())
	}
}

// prune removes members that are empty.
func prune(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = prune(v[i])
		}
	case map[string]any:
		for name, member := range v {
			if member = prune(member); empty(member) {
				delete(v, name)
			} else {
				v[name] = member
			}
		}
	}
	return v
}

func empty(v any) bool {
	m, isMap := v.(map[string]any)
	list, isList := v.([]any)
	if isMap || isList {
		return len(m)+len(list) == 0
	}
	return v == nil || v == "" || v == false || v == "0001-01-01T00:00:00Z"
}

// cases returns the JSON files of a folder.
func cases(t testing.TB, folder string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", folder, "*.json"))
	must(t, err)
	if len(paths) == 0 {
		t.Fatalf("no cases in %s", folder)
	}
	return paths
}

func neverOpened(context.Context) (io.ReadCloser, error) { panic("opened") }

func testFileView() fileView {
	return fileView{root: "root", formats: DefaultFormats(),
		download: func(string, sources.Body) openBody { return neverOpened },
		export:   func(string, string) openBody { return neverOpened }}
}

func testEventView() eventView {
	return eventView{zone: "Europe/Vienna", defaults: []sources.Reminder{{Method: "popup", Before: 30 * time.Minute}}, palette: map[string]string{"11": "#dc2127"}}
}

// shownItem is an item as golden files show it: without functions, and with the problem as text.
type shownItem[T sources.Content] struct {
	ID, Version, Title, Link, Problem string
	Stub, Deleted                     bool
	Content                           T
}

func show[T sources.Content](it sources.Item[T]) shownItem[T] {
	s := shownItem[T]{ID: it.ID, Version: it.Version, Title: it.Title, Link: it.Link, Stub: it.Stub, Deleted: it.Deleted, Content: it.Content}
	if it.Problem != nil {
		s.Problem = it.Problem.Error()
	}
	return s
}

// shownFile hides the function in a body.
type shownFile struct {
	shownItem[sources.File]
	Content map[string]any
	Opens   bool
}

func showFile(t *testing.T, it sources.Item[sources.File]) shownFile {
	t.Helper()
	opens := it.Content.Body.Open != nil
	it.Content.Body.Open = nil
	body := it.Content.Body
	content := map[string]any{
		"Name": it.Content.Name, "ParentID": it.Content.ParentID, "Orphan": it.Content.Orphan, "Type": it.Content.Type, "MediaType": it.Content.MediaType,
		"ExportType": it.Content.ExportType, "Extension": it.Content.Extension, "Created": it.Content.Created, "Modified": it.Content.Modified,
		"TargetName": it.Content.TargetName, "TargetLink": it.Content.TargetLink,
		"Body": map[string]any{"Version": body.Version, "Size": body.Size, "MD5": body.MD5, "SHA256": body.SHA256},
	}
	return shownFile{show(it), content, opens}
}

func TestConvertFiles(t *testing.T) {
	for _, path := range cases(t, "drive") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			b, err := os.ReadFile(path)
			must(t, err)
			var f drive.File
			must(t, json.Unmarshal(b, &f))
			golden(t, strings.TrimSuffix(path, ".json")+".golden", showFile(t, testFileView().item(&f)))
		})
	}
}

// readEvents reads one event or several.
func readEvents(b []byte) (events []*calendar.Event, err error) {
	if bytes.HasPrefix(bytes.TrimSpace(b), []byte("[")) {
		err = json.Unmarshal(b, &events)
		return events, err
	}
	var e calendar.Event
	err = json.Unmarshal(b, &e)
	return []*calendar.Event{&e}, err
}

// TestOrganizers are kept with an address or with a name alone.
func TestOrganizers(t *testing.T) {
	for _, c := range []struct {
		in   *calendar.EventOrganizer
		want *sources.Attendee
	}{
		{nil, nil},
		{&calendar.EventOrganizer{Self: true}, nil},
		{&calendar.EventOrganizer{Email: "a@example.org", DisplayName: "Ann"}, &sources.Attendee{Email: "a@example.org", Name: "Ann", Organizer: true}},
		{&calendar.EventOrganizer{DisplayName: "Ann"}, &sources.Attendee{Name: "Ann", Organizer: true}},
	} {
		if got := organizer(&calendar.Event{Organizer: c.in}); (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
			t.Errorf("%+v: %+v", c.in, got)
		}
	}
}

// TestWays are all ways into a conference with their codes, but not the link alone.
func TestWays(t *testing.T) {
	got := ways(&calendar.ConferenceData{EntryPoints: []*calendar.EntryPoint{
		nil, {EntryPointType: "video", Uri: "https://meet.google.com/a", Label: "meet.google.com/a"}, {EntryPointType: "phone"},
		{EntryPointType: "phone", Uri: "tel:+49-30-1", Label: "+49 30 1", Pin: "987"},
		{EntryPointType: "video", Uri: "https://zoom.example.com/1", MeetingCode: "1", AccessCode: "2", Passcode: "3", Password: "4"},
	}}, "https://meet.google.com/a")
	want := []sources.ConferenceWay{
		{Kind: "phone", URL: "tel:+49-30-1", Label: "+49 30 1", Codes: []string{"PIN: 987"}},
		{Kind: "video", URL: "https://zoom.example.com/1", Codes: []string{"Meeting code: 1", "Access code: 2", "Passcode: 3", "Password: 4"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestConvertEvents(t *testing.T) {
	for _, path := range cases(t, "calendar") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			b, err := os.ReadFile(path)
			must(t, err)
			events, err := readEvents(b)
			must(t, err)
			var shown []shownItem[sources.Event]
			for _, it := range testEventView().whole(events) {
				shown = append(shown, show(it))
			}
			golden(t, strings.TrimSuffix(path, ".json")+".golden", shown)
		})
	}
}

func FuzzFile(f *testing.F) {
	for _, path := range cases(f, "drive") {
		b, err := os.ReadFile(path)
		must(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var file drive.File
		if json.Unmarshal(b, &file) != nil {
			return
		}
		it := testFileView().item(&file)
		c := it.Content
		if it.Version == "" || c.ParentID == it.ID && c.ParentID != "" || c.Orphan && c.ParentID != "" || c.ParentID == "root" {
			t.Errorf("item %+v", it)
		}
		if c.Type == sources.RegularFile && it.Problem == nil && (c.Body.Open == nil || c.Body.Version == "" || c.Body.Size < -1) {
			t.Errorf("body %+v", c.Body)
		}
		if c.Body.SHA256 != "" && digest(c.Body.SHA256, 32) != c.Body.SHA256 || c.Body.MD5 != "" && digest(c.Body.MD5, 16) != c.Body.MD5 {
			t.Errorf("digests %+v", c.Body)
		}
		if again := testFileView().item(&file); again.Version != it.Version {
			t.Error("the version is not stable")
		}
	})
}

func FuzzEvents(f *testing.F) {
	for _, path := range cases(f, "calendar") {
		b, err := os.ReadFile(path)
		must(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		events, err := readEvents(b)
		if err != nil {
			return
		}
		v := testEventView()
		whole := v.whole(events)
		for _, it := range whole {
			if it.Version == "" || it.Stub || it.Deleted || it.Content.Master == nil && len(it.Content.Exceptions) == 0 {
				t.Errorf("item %+v", it)
			}
		}
		listed := ids(v.parts(events, true))
		for _, it := range whole {
			if !slices.Contains(listed, it.ID) {
				t.Errorf("%q is not among the parts %q", it.ID, listed)
			}
		}
		if changes := v.parts(events, false); len(changes) < len(listed) {
			t.Errorf("%d changes of %d listed", len(changes), len(listed))
		}
	})
}
