package google

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/verify"
	"codeberg.org/repatriate/repatriate/sources"
)

const docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(b)
	return b
}

func body(t testing.TB, it sources.Item[sources.File]) ([]byte, error) {
	t.Helper()
	r, err := it.Content.Body.Open(t.Context())
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func TestDriveListing(t *testing.T) {
	d := tenantData(t)
	add := added(t)
	folder := add(d.AddFile(alice, sim.File{Name: "Reports/2024"}))
	first := add(d.AddFile(alice, sim.File{Name: "same", Parent: folder, Content: cloudsim.Bytes([]byte("one"))}))
	second := add(d.AddFile(alice, sim.File{Name: "same", Parent: folder, Content: cloudsim.Bytes([]byte("two")), NoSHA: true}))
	orphan := add(d.AddFile(alice, sim.File{Name: "orphan", Content: cloudsim.Bytes(nil), Orphan: true, NoChecksums: true}))
	shortcut := add(d.AddFile(alice, sim.File{Name: "link", MimeType: sim.MimeShortcut, ShortcutTarget: folder, ShortcutTargetMime: sim.MimeFolder}))
	document := add(d.AddFile(alice, sim.File{Name: "Minutes", MimeType: sim.MimeDocument, Exports: map[string]cloudsim.Content{docx: cloudsim.Bytes([]byte("minutes"))}}))
	add(d.AddFile(alice, sim.File{Name: "trashed", Content: cloudsim.Bytes([]byte("x")), Trashed: true}))
	shared := add(d.AddFile(bob, sim.File{Name: "of Bob"}))
	must(t, d.Share(shared, sim.Permission{Type: "user", Role: "writer", Email: alice}))
	within := add(d.AddFile(alice, sim.File{Name: "of Alice with Bob", Parent: shared, Content: cloudsim.Bytes([]byte("y"))}))
	add(d.AddFile(bob, sim.File{Name: "private", Content: cloudsim.Bytes([]byte("z"))}))

	c, _ := simulated(t, d, sim.Options{PageSize: 3})
	s := Drive(c, alice, DriveOptions{})
	items, _ := pass(t, s, "")
	got := ids(items)
	slices.Sort(got)
	want := []string{folder, first, second, orphan, shortcut, document, within}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}

	if it := byTitle(t, items, "Reports/2024"); it.Content.Type != sources.Folder || it.Content.ParentID != "" || it.Content.Orphan {
		t.Errorf("folder: %+v", it.Content)
	}
	if it := byTitle(t, items, "same"); it.Content.ParentID != folder || it.Link == "" {
		t.Errorf("file: %+v", it)
	}
	if it := byTitle(t, items, "orphan"); !it.Content.Orphan || it.Content.Body.Size != -1 {
		t.Errorf("orphan: %+v", it.Content)
	}
	if it := byTitle(t, items, "link"); it.Content.Type != sources.Shortcut || it.Content.TargetLink != "https://drive.google.com/open?id="+folder {
		t.Errorf("shortcut: %+v", it.Content)
	}
	if it := byTitle(t, items, "Minutes"); it.Content.ExportType != docx || it.Content.Extension != ".docx" || it.Content.Body.Size != -1 {
		t.Errorf("document: %+v", it.Content)
	}
	for _, it := range items {
		if it.Problem != nil {
			t.Errorf("%s: %v", it.Title, it.Problem)
		}
		if it.Content.Type != sources.RegularFile {
			continue
		}
		if b, err := body(t, it); err != nil || string(b) != map[string]string{first: "one", second: "two", within: "y", document: "minutes"}[it.ID] {
			t.Errorf("%s: body %q, %v", it.Title, b, err)
		}
	}

	parent := byTitle(t, items, "of Alice with Bob").Content.ParentID
	if it, err := s.Fetch(t.Context(), parent); err != nil || parent != shared || fault.Of(it.Problem).Reason != fault.SourceNotOwned {
		t.Errorf("fetched the folder of somebody else: %+v, %v", it, err)
	}
}

func TestDriveSecondPassIsAHandfulOfRequests(t *testing.T) {
	d := tenantData(t)
	for range 20 {
		added(t)(d.AddFile(alice, sim.File{Name: "file", Content: cloudsim.Bytes([]byte("x"))}))
	}
	c, server := simulated(t, d, sim.Options{PageSize: 3})
	s := Drive(c, alice, DriveOptions{})
	_, next := pass(t, s, "")
	server.ResetCounts()
	again, _ := pass(t, s, next)
	if len(again) != 0 || server.Requests() > 3 {
		t.Errorf("a second pass took %v for the items %q", server.Counts(), ids(again))
	}
	fresh := Drive(c, alice, DriveOptions{})
	server.ResetCounts()
	if again, _ = pass(t, fresh, next); len(again) != 0 || server.Requests() > 3 {
		t.Errorf("a second pass by another process took %v", server.Counts())
	}
}

// versions returns those of the first item of an id and of its body.
func versions(t testing.TB, items []sources.Item[sources.File], id string) (item, body string) {
	t.Helper()
	i := slices.IndexFunc(items, func(it sources.Item[sources.File]) bool { return it.ID == id })
	if i < 0 {
		t.Fatalf("%s is not among %q", id, ids(items))
	}
	return items[i].Version, items[i].Content.Body.Version
}

func TestDriveChanges(t *testing.T) {
	d := tenantData(t)
	add := added(t)
	folder := add(d.AddFile(alice, sim.File{Name: "folder"}))
	file := add(d.AddFile(alice, sim.File{Name: "file", Parent: folder, Content: cloudsim.Bytes([]byte("one"))}))
	document := add(d.AddFile(alice, sim.File{Name: "doc", MimeType: sim.MimeDocument}))
	others := add(d.AddFile(bob, sim.File{Name: "of Bob", Content: cloudsim.Bytes([]byte("b"))}))
	withBob := add(d.AddFile(bob, sim.File{Name: "folder of Bob"}))
	must(t, d.Share(others, sim.Permission{Type: "user", Role: "reader", Email: alice}))
	must(t, d.Share(withBob, sim.Permission{Type: "user", Role: "writer", Email: alice}))
	guest := add(d.AddFile(alice, sim.File{Name: "guest", Parent: withBob, Content: cloudsim.Bytes([]byte("g"))}))

	c, _ := simulated(t, d, sim.Options{})
	s := Drive(c, alice, DriveOptions{})
	before, next := pass(t, s, "")
	steps := []struct {
		name           string
		change         func() error
		want           []string
		id             string
		newItem, newBy bool
	}{
		{"rename", func() error { return d.Rename(file, "new") }, []string{file}, file, true, false},
		{"rename a folder", func() error { return d.Rename(folder, "new folder") }, []string{folder}, folder, true, false},
		{"rename a document", func() error { return d.Rename(document, "new doc") }, []string{document}, document, true, false},
		{"edit", func() error { return d.Edit(file, cloudsim.Bytes([]byte("two"))) }, []string{file}, file, true, true},
		{"edit a document", func() error { return d.EditDocument(document, nil) }, []string{document}, document, true, true},
		{"move", func() error { return d.Move(file, "") }, []string{file}, file, true, false},
		{"touch", func() error { return d.Touch(file, time.Now().Add(-time.Hour)) }, []string{file}, file, true, false},
		{"put something into a folder", func() error { return d.Touch(folder, time.Now().Add(-time.Hour)) }, []string{folder}, folder, false, false},
		{"share", func() error { return d.Share(file, sim.Permission{Type: "user", Role: "reader", Email: bob}) }, []string{file}, file, false, false},
		{"edit in the folder of somebody else", func() error { return d.Edit(guest, cloudsim.Bytes([]byte("h"))) }, []string{guest}, guest, true, true},
		{"edit by others", func() error { return d.Edit(others, cloudsim.Bytes([]byte("c"))) }, nil, "", false, false},
		{"trash", func() error { return d.Trash(file) }, []string{"-" + file}, "", false, false},
		{"restore", func() error { return d.Restore(file) }, []string{file}, file, false, false},
		{"delete", func() error { return d.Delete(file) }, []string{"-" + file}, "", false, false},
	}
	d.Now = func() time.Time { return time.Now().Add(time.Hour) }
	for _, step := range steps {
		must(t, step.change())
		var items []sources.Item[sources.File]
		items, next = pass(t, s, next)
		if !slices.Equal(ids(items), step.want) {
			t.Fatalf("%s: %q, want %q", step.name, ids(items), step.want)
		}
		if step.id == "" {
			continue
		}
		oldItem, oldBody := versions(t, before, step.id)
		newItem, newBody := versions(t, items, step.id)
		if (oldItem != newItem) != step.newItem || (oldBody != newBody) != step.newBy {
			t.Errorf("%s: version %q to %q, body %q to %q", step.name, oldItem, newItem, oldBody, newBody)
		}
		fetched, err := s.Fetch(t.Context(), step.id)
		if err != nil || fetched.Version != newItem {
			t.Errorf("%s: fetched version %q, %v, listed %q", step.name, fetched.Version, err, newItem)
		}
		before = append(items, before...)
	}
}

func TestDriveProblems(t *testing.T) {
	d := tenantData(t)
	add := added(t)
	file := func(name string, set func(*sim.File)) string {
		f := sim.File{Name: name, Content: cloudsim.Bytes([]byte("content"))}
		set(&f)
		return add(d.AddFile(alice, f))
	}
	file("malware", func(f *sim.File) { f.Abusive = true })
	file("blocked", func(f *sim.File) { f.OwnerBlocked = true })
	file("encrypted", func(f *sim.File) { f.Encrypted = true })
	file("over quota", func(f *sim.File) { f.OverQuota = true })
	file("unavailable", func(f *sim.File) { f.Unavailable = true })
	for _, kind := range []string{"form", "site", "map", "fusiontable", "script", "vid", "drive-sdk.123456"} {
		file(kind, func(f *sim.File) { f.Content, f.MimeType = nil, googleApps+kind })
	}
	doomed := file("doomed", func(*sim.File) {})

	c, _ := simulated(t, d, sim.Options{})
	items, _ := pass(t, Drive(c, alice, DriveOptions{}), "")
	must(t, d.Delete(doomed))
	tests := []struct {
		title  string
		listed bool // the problem shows in the listing, not at opening
		action fault.Action
		reason fault.Reason
	}{
		{"malware", false, fault.Skip, fault.SourceMalware},
		{"blocked", true, fault.Skip, fault.SourceRestricted},
		{"encrypted", true, fault.Skip, fault.SourceEncrypted},
		{"over quota", false, fault.FailItem, fault.SourceDownloadQuota},
		{"unavailable", false, fault.Skip, fault.SourceNoExport},
		{"form", true, fault.Skip, fault.SourceNoExport},
		{"site", true, fault.Skip, fault.SourceNoExport},
		{"map", true, fault.Skip, fault.SourceNoExport},
		{"fusiontable", true, fault.Skip, fault.SourceNoExport},
		{"script", true, fault.Skip, fault.SourceNoExport},
		{"vid", true, fault.Skip, fault.SourceNoExport},
		{"drive-sdk.123456", true, fault.Skip, fault.SourceNoExport},
		{"doomed", false, fault.FailItem, fault.SourceGone},
	}
	for _, tt := range tests {
		t.Run(tt.title, func(t *testing.T) {
			it := byTitle(t, items, tt.title)
			err := it.Problem
			if (err != nil) != tt.listed {
				t.Fatalf("problem at listing: %v", err)
			}
			if err == nil {
				_, err = body(t, it)
			}
			if f := fault.Of(err); f == nil || f.Action != tt.action || f.Reason != tt.reason {
				t.Errorf("error %v", err)
			}
			if it.Link == "" {
				t.Error("no link")
			}
		})
	}
}

func TestDriveAcknowledgesAbuse(t *testing.T) {
	d := tenantData(t)
	id := added(t)(d.AddFile(alice, sim.File{Name: "malware", Content: cloudsim.Bytes([]byte("content")), Abusive: true}))
	c, _ := simulated(t, d, sim.Options{})
	it, err := Drive(c, alice, DriveOptions{AcknowledgeAbuse: true}).Fetch(t.Context(), id)
	must(t, err)
	if b, err := body(t, it); string(b) != "content" || err != nil {
		t.Errorf("body %q, %v", b, err)
	}
}

func TestDriveDownloadFaults(t *testing.T) {
	content := noise(700_000)
	kinds := map[string]struct {
		fault  cloudsim.Fault
		reason fault.Reason // of the last attempt; empty: the body arrives
	}{
		"truncated":    {cloudsim.Fault{Kind: "truncate"}, ""},
		"wrong length": {cloudsim.Fault{Kind: "length"}, ""},
		"corrupted":    {cloudsim.Fault{Kind: "corrupt"}, fault.SourceHashMismatch},
		"throttled":    {cloudsim.Fault{Kind: "429"}, fault.SourceThrottled},
		"user limit":   {cloudsim.Fault{Kind: "403", Reason: "userRateLimitExceeded"}, fault.SourceThrottled},
		"unavailable":  {cloudsim.Fault{Kind: "503"}, fault.SourceUnavailable},
	}
	for name, tt := range kinds {
		t.Run(name, func(t *testing.T) {
			d := tenantData(t)
			id := added(t)(d.AddFile(alice, sim.File{Name: "file", Content: cloudsim.Bytes(content)}))
			requests := 0
			c, _ := simulated(t, d, sim.Options{Behaviour: cloudsim.Behaviour{Hook: func(_ *http.Request, method string) (cloudsim.Fault, bool) {
				if method != "drive.files.get.media" {
					return cloudsim.Fault{}, false
				}
				requests++
				return tt.fault, requests == 1
			}}})
			it, err := Drive(c, alice, DriveOptions{}).Fetch(t.Context(), id)
			must(t, err)
			b, err := body(t, it)
			if tt.reason == "" {
				if err != nil || !bytes.Equal(b, content) || requests != 2 {
					t.Errorf("got %d bytes in %d requests, %v", len(b), requests, err)
				}
				return
			}
			if f := fault.Of(err); f == nil || f.Reason != tt.reason || f.Action != fault.Retry {
				t.Errorf("error %v", err)
			}
			if len(b) >= len(content) {
				t.Errorf("%d bytes were handed out", len(b))
			}
		})
	}
}

func TestDriveDigest(t *testing.T) {
	d := tenantData(t)
	content := noise(10_000)
	for _, noSHA := range []bool{false, true} {
		id := added(t)(d.AddFile(alice, sim.File{Name: "file", Content: cloudsim.Bytes(content), NoSHA: noSHA}))
		c, _ := simulated(t, d, sim.Options{})
		it, err := Drive(c, alice, DriveOptions{}).Fetch(t.Context(), id)
		must(t, err)
		r, err := it.Content.Body.Open(t.Context())
		must(t, err)
		defer r.Close()
		_, err = io.Copy(io.Discard, r)
		must(t, err)
		digester, ok := r.(verify.Digester)
		if ok == noSHA {
			t.Errorf("known by MD5 alone %v: hashed by SHA-256 %v", noSHA, ok)
		}
		if !ok {
			continue
		}
		if sum, ok := digester.SHA256(); !ok || sum != sha256.Sum256(content) {
			t.Errorf("digest %x, %v", sum, ok)
		}
	}
}

func TestDriveCursors(t *testing.T) {
	d := tenantData(t)
	add := added(t)
	for range 5 {
		add(d.AddFile(alice, sim.File{Name: "file", Content: cloudsim.Bytes([]byte("x"))}))
	}
	c, _ := simulated(t, d, sim.Options{PageSize: 2})
	s := Drive(c, alice, DriveOptions{})
	first, err := s.Changes(t.Context(), "")
	must(t, err)
	again, err := s.Changes(t.Context(), first.Next)
	must(t, err)
	replayed, err := Drive(c, alice, DriveOptions{}).Changes(t.Context(), first.Next)
	must(t, err)
	if !slices.Equal(ids(again.Items), ids(replayed.Items)) || !first.Listing || first.ListingDone || !first.More {
		t.Errorf("first %+v, then %q, replayed %q", first, ids(again.Items), ids(replayed.Items))
	}
	during := add(d.AddFile(alice, sim.File{Name: "made during the listing", Content: cloudsim.Bytes([]byte("x"))}))
	items, next := pass(t, s, first.Next)
	if !slices.Contains(ids(items), during) {
		t.Errorf("the pass yields %q, without what was made during the listing", ids(items))
	}

	d.ExpirePageTokens()
	if _, err := s.Changes(t.Context(), first.Next); !errors.Is(err, sources.ErrCursorExpired) {
		t.Errorf("expired page token: %v", err)
	}
	d.ExpireChanges(alice)
	if _, err := s.Changes(t.Context(), next); !errors.Is(err, sources.ErrCursorExpired) {
		t.Errorf("expired change token: %v", err)
	}
	for _, junk := range []sources.Cursor{"x", "{}", `{"changes":"1"}`, "null", `{"changes":1}`} {
		if _, err := s.Changes(t.Context(), junk); !errors.Is(err, sources.ErrCursorExpired) {
			t.Errorf("cursor %q: %v", junk, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Changes(ctx, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestSharedDrive(t *testing.T) {
	d := tenantData(t)
	add := added(t)
	id := d.AddSharedDrive("Team", sim.Permission{Type: "group", Role: "organizer", Email: "team@example.org"},
		sim.Permission{Type: "user", Role: "reader", Email: alice}, sim.Permission{Type: "user", Role: "organizer", Email: bob})
	empty := d.AddSharedDrive("Nobody's", sim.Permission{Type: "group", Role: "organizer", Email: "team@example.org"})
	folder := add(d.AddDriveFile(id, sim.File{Name: "folder"}))
	file := add(d.AddDriveFile(id, sim.File{Name: "file", Parent: folder, Content: cloudsim.Bytes([]byte("shared"))}))
	add(d.AddFile(bob, sim.File{Name: "of Bob", Content: cloudsim.Bytes([]byte("b"))}))
	c, server := simulated(t, d, sim.Options{})

	accounts, err := c.sharedDrives(t.Context())
	must(t, err)
	if len(accounts) != 2 || accounts[0].ID != id || accounts[0].Name != "Team" || !accounts[0].Shared {
		t.Errorf("shared drives %+v", accounts)
	}
	if name, err := DriveName(t.Context(), c, empty); err != nil || name != "Nobody's" {
		t.Errorf("a drive of which the administrator is no member is called %q, %v", name, err)
	}
	s := SharedDrive(c, id, DriveOptions{})
	items, next := pass(t, s, "")
	got, want := ids(items), []string{file, folder}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("listed %q, want %q", got, want)
	}
	if it := byTitle(t, items, "folder"); it.Content.ParentID != "" || it.Content.Orphan {
		t.Errorf("folder at the top: %+v", it.Content)
	}
	if b, err := body(t, byTitle(t, items, "file")); string(b) != "shared" || err != nil {
		t.Errorf("body %q, %v", b, err)
	}
	server.ResetCounts()
	must(t, d.Rename(file, "renamed"))
	must(t, d.Trash(folder))
	items, next = pass(t, SharedDrive(c, id, DriveOptions{}), next)
	if !slices.Contains(ids(items), "-"+folder) || server.Requests() > 3 {
		t.Errorf("changes %q by %v", ids(items), server.Counts())
	}
	if items, _ = pass(t, s, next); len(items) != 0 {
		t.Errorf("further changes %q", ids(items))
	}
	if _, err := SharedDrive(c, empty, DriveOptions{}).Changes(t.Context(), ""); fault.Of(err).Action != fault.FailTask || fault.Of(err).Hint == "" {
		t.Errorf("a drive without members: %v", err)
	}
	must(t, d.Restore(folder))
	must(t, d.ChangeUser(bob, func(u *sim.User) { u.Suspended = true }))
	c2, _ := simulated(t, d, sim.Options{})
	if items, _ := pass(t, SharedDrive(c2, id, DriveOptions{}), ""); len(items) == 0 {
		t.Error("the drive of a suspended organizer cannot be read, though it has another member")
	}
}

// TestDriveUntold: a change that says neither that a file is gone nor how it is now has the file asked for.
func TestDriveUntold(t *testing.T) {
	d := tenantData(t)
	add := added(t)
	mine := add(d.AddFile(alice, sim.File{Name: "mine", Content: cloudsim.Bytes([]byte("one"))}))
	trashed := add(d.AddFile(alice, sim.File{Name: "trashed", Content: cloudsim.Bytes([]byte("x")), Trashed: true}))
	others := add(d.AddFile(bob, sim.File{Name: "of Bob", Content: cloudsim.Bytes([]byte("b"))}))
	must(t, d.Share(others, sim.Permission{Type: "user", Role: "reader", Email: alice}))
	c, _ := simulated(t, d, sim.Options{})
	s, ok := Drive(c, alice, DriveOptions{}).(*driveSource)
	if !ok {
		t.Fatal("a drive of another kind")
	}
	for _, c := range []struct {
		name, id      string
		want, deleted bool
	}{
		{"there", mine, true, false},
		{"trashed", trashed, true, true},
		{"not there", "nobody-has-this-id", true, true},
		{"another's", others, false, false},
	} {
		items, err := s.untold(t.Context(), c.id)
		if err != nil || (len(items) == 1) != c.want {
			t.Fatalf("%s: %+v, %v", c.name, items, err)
		}
		if c.want && (items[0].ID != c.id || items[0].Deleted != c.deleted) {
			t.Errorf("%s: %+v", c.name, items[0])
		}
	}
}
