package webdav_test

import (
	"errors"
	"testing"

	"github.com/studio-b12/gowebdav"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/webdav"
	"codeberg.org/repatriate/repatriate/sinks/webdav/nextcloudtest"
)

// eachServer runs the test in a fresh account of each kind of server. Cyrus moves no folders, and has folders and files
// apart, so that it takes one of each of the same name.
func eachServer(t *testing.T, test func(*testing.T, *webdav.Sink, *gowebdav.Client)) {
	run := func(t *testing.T, l login) {
		opts, other := l.account(t)
		test(t, open(t, opts), other)
	}
	t.Run("Apache", func(t *testing.T) { run(t, userOf(realserver.Apache(t, realserver.ApacheOptions{}))) })
	t.Run("Nextcloud", func(t *testing.T) {
		run(t, login{url: nextcloudtest.Start(t, nextcloudtest.Options{}).URL(), user: "u1", password: "secret"})
	})
}

func folder(path ...string) sinks.Item[sinks.File] {
	return sinks.Item[sinks.File]{ID: "folder", Content: sinks.File{Path: path, Folder: true}}
}

func at(item sinks.Item[sinks.File], path ...string) sinks.Item[sinks.File] {
	item.Content.Path = path
	return item
}

func mustPut(t *testing.T, s *webdav.Sink, item sinks.Item[sinks.File], prev sinks.Receipt) sinks.Written {
	t.Helper()
	w, err := s.Put(t.Context(), item, prev)
	if err != nil {
		t.Fatalf("Put %q: %v", item.Content.Path, err)
	}
	return w
}

func wantFault(t *testing.T, what string, err error, action fault.Action, reason fault.Reason) {
	t.Helper()
	if err == nil {
		t.Fatalf("%s succeeded, want %s, %s", what, action, reason)
	}
	if f := fault.Of(err); f.Action != action || f.Reason != reason {
		t.Errorf("%s: %s, %s (%v); want %s, %s", what, f.Action, f.Reason, err, action, reason)
	}
}

func wantConflict(t *testing.T, what string, err error) {
	t.Helper()
	wantFault(t, what, err, fault.FailItem, fault.TargetConflict)
}

func TestFolders(t *testing.T) { eachServer(t, testFolders) }

func testFolders(t *testing.T, s *webdav.Sink, other *gowebdav.Client) {
	top := mustPut(t, s, folder("top"), sinks.Receipt{})
	if top.Unchanged {
		t.Error("the new folder was said to be there")
	}
	if again := mustPut(t, s, folder("top"), sinks.Receipt{}); !again.Unchanged || again.Receipt.Location != top.Receipt.Location {
		t.Errorf("the folder that is there: %+v", again)
	}
	if again := mustPut(t, s, folder("top"), top.Receipt); !again.Unchanged {
		t.Errorf("the folder with its receipt: %+v", again)
	}
	mustPut(t, s, folder("top", "sub"), sinks.Receipt{})
	inside := mustPut(t, s, at(file(1), "top", "sub", "inside"), sinks.Receipt{})

	moved := mustPut(t, s, folder("new top"), top.Receipt)
	if _, err := other.Stat("/new top/sub/inside"); err != nil {
		t.Errorf("what was inside did not come along: %v", err)
	}
	lost := folder("new top")
	lost.Again = true
	mustPut(t, s, lost, top.Receipt)

	inside.Receipt.Location = "new top/sub/inside" // as the engine does from its tree
	inside = mustPut(t, s, changed(at(file(1), "new top", "sub", "inside")), inside.Receipt)
	wantConflict(t, "Remove of a folder that is not empty", s.Remove(t.Context(), moved.Receipt))
	if err := s.Remove(t.Context(), inside.Receipt); err != nil {
		t.Errorf("Remove of a file: %v", err)
	}
	sub := sinks.Receipt{Location: "new top/sub", State: moved.Receipt.State}
	for _, at := range []sinks.Receipt{sub, sub, moved.Receipt, moved.Receipt} {
		if err := s.Remove(t.Context(), at); err != nil {
			t.Errorf("Remove of an empty folder: %v", err)
		}
	}
	if entries, err := other.ReadDir("/"); err != nil || len(entries) != 0 {
		t.Errorf("%v is left (%v)", entries, err)
	}
}

func TestFoldersAndTheUser(t *testing.T) { eachServer(t, testFoldersAndTheUser) }

func testFoldersAndTheUser(t *testing.T, s *webdav.Sink, other *gowebdav.Client) {
	if err := other.Write("/taken", []byte("by the user"), 0); err != nil {
		t.Fatal(err)
	}
	_, err := s.Put(t.Context(), folder("taken"), sinks.Receipt{})
	wantConflict(t, "MKCOL where a file lies", err)
	a := mustPut(t, s, folder("a"), sinks.Receipt{})
	b := mustPut(t, s, folder("b"), sinks.Receipt{})
	mustPut(t, s, at(file(1), "b", "inside"), sinks.Receipt{})
	_, err = s.Put(t.Context(), folder("b"), a.Receipt)
	wantConflict(t, "MOVE where a folder lies", err)
	_, err = s.Put(t.Context(), at(file(2), "b"), sinks.Receipt{})
	wantConflict(t, "PUT where a folder lies", err)
	if _, err := other.Stat("/b/inside"); err != nil {
		t.Errorf("the folder lost what was inside: %v", err)
	}

	if err := other.Remove("/a"); err != nil {
		t.Fatal(err)
	}
	mustPut(t, s, folder("a2"), a.Receipt) // its children need it
	if info, err := other.Stat("/a2"); err != nil || !info.IsDir() {
		t.Errorf("the folder that the user had removed: %v, %v", info, err)
	}
	_ = b
}

// A file whose folder the user removed is not on the target, and nobody decided against the file.
func TestMissingFolderIsNoConflict(t *testing.T) { eachServer(t, testMissingFolder) }

func testMissingFolder(t *testing.T, s *webdav.Sink, other *gowebdav.Client) {
	mustPut(t, s, folder("gone"), sinks.Receipt{})
	old := mustPut(t, s, at(file(2), "elsewhere"), sinks.Receipt{})
	if err := other.RemoveAll("/gone"); err != nil {
		t.Fatal(err)
	}
	_, err := s.Put(t.Context(), at(file(1), "gone", "file"), sinks.Receipt{})
	wantFault(t, "PUT", err, fault.FailItem, fault.TargetNoParent)
	_, err = s.Put(t.Context(), folder("gone", "folder"), sinks.Receipt{})
	wantFault(t, "MKCOL", err, fault.FailItem, fault.TargetNoParent)
	_, err = s.Put(t.Context(), at(file(2), "gone", "moved"), old.Receipt)
	wantFault(t, "MOVE", err, fault.FailItem, fault.TargetNoParent)
}

func TestFilesAndTheUser(t *testing.T) { eachServer(t, testFilesAndTheUser) }

func testFilesAndTheUser(t *testing.T, s *webdav.Sink, other *gowebdav.Client) {
	gone := mustPut(t, s, at(file(1), "gone"), sinks.Receipt{})
	if err := other.Remove("/gone"); err != nil {
		t.Fatal(err)
	}
	_, err := s.Put(t.Context(), changed(at(file(1), "gone")), gone.Receipt)
	wantConflict(t, "a new version of a file that the user removed", err)
	_, err = s.Put(t.Context(), at(file(1), "elsewhere"), gone.Receipt)
	wantConflict(t, "the move of a file that the user removed", err)

	edited := mustPut(t, s, at(file(2), "edited"), sinks.Receipt{})
	if err := other.Write("/edited", []byte("by the user"), 0); err != nil {
		t.Fatal(err)
	}
	_, err = s.Put(t.Context(), at(file(2), "elsewhere"), edited.Receipt)
	wantConflict(t, "the move of a file that the user edited", err)

	mine := mustPut(t, s, at(file(3), "mine"), sinks.Receipt{})
	_, err = s.Put(t.Context(), at(file(3), "edited"), mine.Receipt)
	wantConflict(t, "a move onto the user's file", err)
	for name, want := range map[string]string{"/edited": "by the user", "/mine": ""} {
		data, err := other.Read(name)
		if err != nil || (want != "" && string(data) != want) {
			t.Errorf("%s holds %q (%v)", name, data, err)
		}
	}

	replaced := mustPut(t, s, at(file(4), "replaced"), sinks.Receipt{})
	if err := other.Remove("/replaced"); err != nil {
		t.Fatal(err)
	}
	if err := other.Mkdir("/replaced", 0); err != nil {
		t.Fatal(err)
	}
	wantConflict(t, "Remove of a file where the user made a folder", s.Remove(t.Context(), replaced.Receipt))
	_, err = s.Put(t.Context(), changed(at(file(4), "replaced")), replaced.Receipt)
	wantConflict(t, "a new version of a file where the user made a folder", err)
}

func TestMissingParent(t *testing.T) {
	eachServer(t, func(t *testing.T, s *webdav.Sink, _ *gowebdav.Client) {
		_, err := s.Put(t.Context(), at(file(1), "nowhere", "file"), sinks.Receipt{})
		if f := fault.Of(err); err == nil || f.Action != fault.FailItem {
			t.Errorf("PUT without a parent: %v", err)
		}
	})
}

func TestPathsThatAreNone(t *testing.T) {
	server := nextcloudtest.Start(t, nextcloudtest.Options{})
	s := open(t, webdav.Options{URL: server.URL(), User: "u1", Password: "secret"})
	server.Requests()
	for _, path := range [][]string{nil, {""}, {"."}, {".."}, {"a", "..", "b"}, {"a\x00b"}, {"a", ""}} {
		_, err := s.Put(t.Context(), at(file(1), path...), sinks.Receipt{})
		wantFault(t, "Put", err, fault.FailItem, fault.TargetInvalid)
		wantFault(t, "Remove", s.Remove(t.Context(), sinks.Receipt{Location: sinks.PathLocation(path)}), fault.FailItem, fault.TargetInvalid)
	}
	for _, r := range server.Requests() {
		t.Errorf("%s %s was sent", r.Method, r.Path)
	}
}

// A folder of the user's gives way with all that lies in it, and a folder that was moved there takes the place.
func TestFolderIsSetAside(t *testing.T) { eachServer(t, testFolderIsSetAside) }

func testFolderIsSetAside(t *testing.T, s *webdav.Sink, other *gowebdav.Client) {
	ours := mustPut(t, s, folder("ours"), sinks.Receipt{})
	mustPut(t, s, at(file(1), "ours", "inside"), sinks.Receipt{})
	for _, name := range []string{"/b", "/b (target)"} {
		if err := other.Mkdir(name, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := other.Write("/b/theirs", []byte("by the user"), 0); err != nil {
		t.Fatal(err)
	}
	_, err := s.Put(t.Context(), folder("b"), ours.Receipt)
	wantConflict(t, "MOVE where a folder lies", err)
	if next, err := s.Beside(t.Context(), folder("b"), ours.Receipt); !errors.Is(err, sinks.ErrTaken) || next != ours.Receipt {
		t.Errorf("Beside: %+v, %v; what lies elsewhere is still ours", next, err)
	}
	next, loss, err := s.Aside(t.Context(), folder("b"), ours.Receipt)
	if err != nil || loss == nil || next != ours.Receipt {
		t.Fatalf("Aside: %+v, %+v, %v", next, loss, err)
	}
	mustPut(t, s, folder("b"), next)
	if data, err := other.Read("/b (target 2)/theirs"); err != nil || string(data) != "by the user" {
		t.Errorf("what the user had: %q, %v", data, err)
	}
	if _, err := other.Stat("/b/inside"); err != nil {
		t.Errorf("what was inside did not come along: %v", err)
	}
}
