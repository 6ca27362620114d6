package embedded

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func startFiles(t *testing.T, dir string) *Files {
	t.Helper()
	s, err := StartFiles(dir, people)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func sha(body string) string {
	sum := sha1.Sum([]byte(body))
	return "SHA1:" + hex.EncodeToString(sum[:])
}

func TestFilesPut(t *testing.T) {
	const home = "/files/alice@example.org/"
	s := startFiles(t, t.TempDir())
	created := call{method: "PUT", path: home + "a.txt", body: "one", want: 201,
		header: map[string]string{"If-None-Match": "*", "X-OC-Mtime": "1500000000", "OC-Checksum": sha("one")}}.do(t, s.root)
	if got := created.Header.Get("X-OC-Mtime"); got != "accepted" {
		t.Errorf("X-OC-Mtime: %q", got)
	}
	etag := created.Header.Get("ETag")
	calls := []call{
		{method: "PUT", path: home + "a.txt", header: map[string]string{"If-None-Match": "*"}, body: "two", want: 412},
		{method: "PUT", path: home + "a.txt", header: map[string]string{"If-Match": `"other"`}, body: "two", want: 412},
		{method: "PUT", path: home + "b.txt", header: map[string]string{"OC-Checksum": sha("one")}, body: "two", want: 400},
		{method: "PUT", path: home + "b.txt", header: map[string]string{"OC-Checksum": "CRC:1"}, body: "two", want: 400},
		{method: "PUT", path: home + "b.txt", header: map[string]string{"X-OC-Mtime": "soon"}, body: "two", want: 400},
		{method: "PUT", path: home + "none/b.txt", body: "two", want: 409},
		{method: "PUT", path: home + "a.txt/b.txt", body: "two", want: 409},
		{method: "PUT", path: home + strings.Repeat("n", 300), body: "two", want: 400},
		{method: "PUT", path: home, body: "two", want: 405},
		{method: "PUT", path: "/files/bob/a.txt", body: "two", want: 403},
		{method: "PUT", path: "/files/nobody/a.txt", body: "two", want: 404},
		{method: "PUT", path: home + "a.txt", header: map[string]string{"user": "bob:wrong"}, want: 401},
		{method: "PUT", path: "/files/bob/m.txt", header: map[string]string{"user": Master.Name + ":" + Master.Password}, want: 201},
		{method: "GET", path: home + "a.txt", want: 200, wantBody: "one"},
		{method: "PROPFIND", path: home + "a.txt", header: map[string]string{"Depth": "0"}, want: 207, wantBody: sha("one")},
		{method: "PROPFIND", path: home + "a.txt", header: map[string]string{"Depth": "0"}, want: 207, wantBody: "Fri, 14 Jul 2017 02:40:00 GMT"},
		{method: "DELETE", path: home + "a.txt", header: map[string]string{"If-Match": `"other"`}, want: 412},
		{method: "PUT", path: home + "a.txt", header: map[string]string{"If-Match": etag}, body: "two", want: 204},
		{method: "PROPFIND", path: home + "a.txt", header: map[string]string{"Depth": "0"}, want: 207, wantBody: "getetag"},
	}
	for _, c := range calls {
		c.do(t, s.root)
	}
	files, err := s.List("alice@example.org")
	if err != nil || len(files) != 1 || files[0].Path != "a.txt" || files[0].Size != 3 || files[0].Checksum != "" {
		t.Errorf("List = %+v, %v, want the second a.txt alone, without the checksum of the first", files, err)
	}
	wantNoUploads(t, s, "alice@example.org")
}

func wantNoUploads(t *testing.T, s *Files, user string) {
	t.Helper()
	left, err := os.ReadDir(s.trees[user].uploads())
	if err != nil || len(left) > 0 {
		t.Errorf("uploads left: %v, %v", left, err)
	}
}

// Two bodies of one size and one time are two versions.
func TestFilesETagChanges(t *testing.T) {
	s := startFiles(t, t.TempDir())
	put := func(body string) string {
		response := call{method: "PUT", path: "/files/alice@example.org/a", header: map[string]string{"X-OC-Mtime": "1500000000"}, body: body, want: 201}
		if body == "two" {
			response.want = 204
		}
		return response.do(t, s.root).Header.Get("ETag")
	}
	first, second := put("one"), put("two")
	if first == second || first == "" {
		t.Errorf("ETags %s and %s", first, second)
	}
	if err := os.WriteFile(filepath.Join(s.Dir("alice@example.org"), "a"), []byte("edited"), 0o644); err != nil {
		t.Fatal(err)
	}
	head := call{method: "HEAD", path: "/files/alice@example.org/a", want: 200}.do(t, s.root)
	if got := head.Header.Get("ETag"); got == second {
		t.Error("an edit on the disk did not change the ETag")
	}
}

// A folder's move takes everything along, and a restart finds it.
func TestFilesMoveAndRestart(t *testing.T) {
	const home = "/files/alice@example.org/"
	dir := t.TempDir()
	s := startFiles(t, dir)
	call{method: "MKCOL", path: home + "old/", want: 201}.do(t, s.root)
	call{method: "MKCOL", path: home + "old/", want: 405}.do(t, s.root)
	etag := call{method: "PUT", path: home + "old/%C3%BC%20%23.txt", header: map[string]string{"OC-Checksum": sha("x")}, body: "x", want: 201}.do(t, s.root).Header.Get("ETag")
	call{method: "MOVE", path: home + "old/", header: map[string]string{"Destination": s.root + home + "new/", "Overwrite": "F"}, want: 201}.do(t, s.root)
	call{method: "MOVE", path: home + "none", header: map[string]string{"Destination": s.root + home + "new/x"}, want: 404}.do(t, s.root)
	call{method: "MOVE", path: home + "new/", header: map[string]string{"Destination": s.root + home + "none/x"}, want: 409}.do(t, s.root)
	call{method: "MOVE", path: home + "new/", header: map[string]string{"Destination": s.root + "/files/bob/x"}, want: 403}.do(t, s.root)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = startFiles(t, dir)
	files, err := s.List("alice@example.org")
	if err != nil || len(files) != 2 || files[0].Path != "new" || !files[0].Folder || files[1].Path != "new/ü #.txt" || files[1].Checksum != sha("x") {
		t.Errorf("List = %+v, %v", files, err)
	}
	head := call{method: "HEAD", path: home + "new/%C3%BC%20%23.txt", want: 200}.do(t, s.root)
	if got := head.Header.Get("ETag"); got != etag {
		t.Errorf("ETag %s after the restart, was %s", got, etag)
	}
	call{method: "DELETE", path: home + "new/", want: 204}.do(t, s.root)
	if files, err := s.List("alice@example.org"); err != nil || len(files) != 0 {
		t.Errorf("List = %+v, %v", files, err)
	}
}

func TestFilesDeadProperties(t *testing.T) {
	const file = "/files/bob/a"
	bob := map[string]string{"user": "bob:b", "Depth": "0"}
	s := startFiles(t, t.TempDir())
	const patch = `<d:propertyupdate xmlns:d="DAV:" xmlns:n="http://nextcloud.org/ns"><d:set><d:prop><n:creation_time>12345</n:creation_time></d:prop></d:set></d:propertyupdate>`
	call{method: "PUT", path: file, header: bob, body: "x", want: 201}.do(t, s.root)
	call{method: "PROPPATCH", path: file, header: bob, body: patch, want: 207, wantBody: "200"}.do(t, s.root)
	call{method: "PROPFIND", path: file, header: bob, want: 207, wantBody: "12345"}.do(t, s.root)
	call{method: "MOVE", path: file, header: map[string]string{"user": "bob:b", "Destination": s.root + "/files/bob/b"}, want: 201}.do(t, s.root)
	call{method: "PROPFIND", path: "/files/bob/b", header: bob, want: 207, wantBody: "12345"}.do(t, s.root)
}

func TestFilesLock(t *testing.T) {
	const file = "/files/alice@example.org/a"
	const info = `<d:lockinfo xmlns:d="DAV:"><d:lockscope><d:exclusive/></d:lockscope><d:locktype><d:write/></d:locktype></d:lockinfo>`
	s := startFiles(t, t.TempDir())
	call{method: "PUT", path: file, body: "x", want: 201}.do(t, s.root)
	token := call{method: "LOCK", path: file, header: map[string]string{"Timeout": "Second-60"}, body: info, want: 200}.do(t, s.root).Header.Get("Lock-Token")
	for _, c := range []call{
		{method: "PUT", path: file, body: "y", want: 423},
		{method: "DELETE", path: file, want: 423},
		{method: "PUT", path: file, header: map[string]string{"If": "(" + token + ")"}, body: "y", want: 204},
		{method: "UNLOCK", path: file, header: map[string]string{"Lock-Token": token}, want: 204},
		{method: "PUT", path: file, body: "z", want: 204},
	} {
		c.do(t, s.root)
	}
}

// A body that ends early leaves nothing and does not replace what was there.
func TestFilesCutUpload(t *testing.T) {
	s := startFiles(t, t.TempDir())
	call{method: "PUT", path: "/files/alice@example.org/a", body: "whole", want: 201}.do(t, s.root)
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.root, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequest("PUT", s.root+"/files/alice@example.org/a", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth("alice@example.org", "a")
	_, err = fmt.Fprintf(conn, "PUT %s HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\nContent-Length: 1000\r\n\r\nhalf", request.URL.Path, request.Header.Get("Authorization"))
	if err != nil {
		t.Fatal(err)
	}
	waitForUpload(t, s, "alice@example.org")
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil { // ends the request
		t.Fatal(err)
	}
	body, err := os.ReadFile(filepath.Join(s.Dir("alice@example.org"), "a"))
	if err != nil || string(body) != "whole" {
		t.Errorf("the file is %q, %v", body, err)
	}
}

// waitForUpload returns when the server has begun to store a body.
func waitForUpload(t *testing.T, s *Files, user string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		if begun, err := os.ReadDir(s.trees[user].uploads()); err != nil || len(begun) > 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("the upload does not begin")
}
