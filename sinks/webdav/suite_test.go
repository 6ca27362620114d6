package webdav_test

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/studio-b12/gowebdav"

	"codeberg.org/repatriate/repatriate/internal/embedded"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/sinktest"
	"codeberg.org/repatriate/repatriate/sinks/webdav"
	"codeberg.org/repatriate/repatriate/sinks/webdav/nextcloudtest"
)

func TestSinkOnApache(t *testing.T) {
	server := realserver.Apache(t, realserver.ApacheOptions{})
	sinktest.Run(t, harness(userOf(server), odd()))
}

func TestSinkOnCyrus(t *testing.T) {
	server := realserver.Cyrus(t, realserver.CyrusOptions{})
	items := odd()
	h := harness(userOf(server), items[:len(items)-1]) // it cannot hold the empty file; see TestEmptyFileOnCyrus
	h.BigSize = 64 << 20                               // it keeps the whole in memory
	sinktest.Run(t, h)
}

func TestSinkOnNextcloud(t *testing.T) {
	for name, change := range map[string]func(*webdav.Options){
		"whole files": func(o *webdav.Options) { o.BulkSize = -1 },
		"bulk":        func(*webdav.Options) {},
		"chunks":      func(o *webdav.Options) { o.BulkSize, o.ChunkThreshold, o.ChunkSize = -1, 1<<20, 8<<20 },
		"all chunks":  func(o *webdav.Options) { o.BulkSize, o.ChunkThreshold, o.ChunkSize = -1, 10, 300 },
	} {
		t.Run(name, func(t *testing.T) {
			server := nextcloudtest.Start(t, nextcloudtest.Options{})
			h := harness(login{server.URL(), "u1", "secret", change}, odd())
			if name == "all chunks" {
				h.Big = nil
			}
			sinktest.Run(t, h)
		})
	}
}

// login is where the suite's accounts are made: each is a folder of its own in this one.
type login struct {
	url, user, password string
	change              func(*webdav.Options)
}

func userOf(s *realserver.Server) login {
	u := s.User(1)
	return login{url: s.FilesURL(u.User), user: u.User, password: u.Password}
}

var accounts atomic.Int32

// account makes a folder and returns the options for a sink into it, and another client for it.
func (l login) account(tb testing.TB) (webdav.Options, *gowebdav.Client) {
	tb.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	tb.Cleanup(transport.CloseIdleConnections)
	root := gowebdav.NewClient(l.url, l.user, l.password)
	root.SetTransport(transport)
	name := fmt.Sprintf("account %d", accounts.Add(1))
	if err := root.Mkdir(name, 0); err != nil {
		tb.Fatal(err)
	}
	other := gowebdav.NewClient(l.url+name, l.user, l.password)
	other.SetTransport(transport)
	opts := webdav.Options{
		URL: l.url + strings.ReplaceAll(name, " ", "%20") + "/", User: l.user, Password: l.password,
		AssemblyPause: time.Millisecond, SpoolDir: tb.TempDir(),
	}
	if l.change != nil {
		l.change(&opts)
	}
	return opts, other
}

func harness(l login, odd []sinks.Item[sinks.File]) sinktest.Harness[sinks.File] {
	return sinktest.Harness[sinks.File]{
		Open: func(tb testing.TB) sinktest.Account[sinks.File] {
			opts, other := l.account(tb)
			sink, err := webdav.Open(tb.Context(), opts)
			if err != nil {
				tb.Fatal(err)
			}
			return sinktest.Account[sinks.File]{
				Sink: sink,
				Held: func(tb testing.TB) []string { return held(tb, other, "/") },
				Edit: func(tb testing.TB, at sinks.Receipt) {
					if err := other.Write(at.Location, []byte("the user's own words"), 0); err != nil {
						tb.Fatal(err)
					}
				},
				Copy: func(tb testing.TB, at sinks.Receipt) {
					data, err := other.Read(at.Location)
					if err == nil {
						err = other.Write("copy of "+at.Location, data, 0)
					}
					if err != nil {
						tb.Fatal(err)
					}
				},
			}
		},
		Item:    file,
		Changed: changed,
		Moved: func(item sinks.Item[sinks.File]) sinks.Item[sinks.File] {
			item.Content.Path = []string{"moved " + item.Content.Path[0]}
			return item
		},
		Digest: func(tb testing.TB, item sinks.Item[sinks.File]) string {
			return sinktest.BodyDigest(tb, item.Content.Body)
		},
		Big: func(size int64) sinks.Item[sinks.File] {
			item := file(0)
			item.Content.Body = sinktest.Pattern("big", nil, size)
			return item
		},
		Odd: odd,
	}
}

// held reads all files below the folder with the other client.
func held(tb testing.TB, c *gowebdav.Client, folder string) []string {
	tb.Helper()
	entries, err := c.ReadDir(folder)
	if err != nil {
		tb.Fatal(err)
	}
	var digests []string
	for _, e := range entries {
		at := path.Join(folder, e.Name())
		if e.IsDir() {
			digests = append(digests, held(tb, c, at)...)
			continue
		}
		r, err := c.ReadStream(at)
		if err != nil {
			tb.Fatal(err)
		}
		digests = append(digests, sinktest.ReaderDigest(tb, r))
		_ = r.Close()
	}
	return digests
}

func file(i int) sinks.Item[sinks.File] {
	data := []byte(strings.Repeat(fmt.Sprintf("This is file number %d.\n", i), 40+i))
	return sinks.Item[sinks.File]{
		ID: fmt.Sprintf("id-%d", i),
		Content: sinks.File{
			Path:     []string{fmt.Sprintf("file %d.txt", i)},
			Modified: time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC),
			Body:     sinktest.Bytes(fmt.Sprintf("v-%d", i), data),
		},
	}
}

// changed keeps the length, so that the versions differ in bytes and times alone.
func changed(item sinks.Item[sinks.File]) sinks.Item[sinks.File] {
	old := item.Content.Body
	n := strings.Count(old.Version, "+") + 1
	data := []byte(strings.Repeat(fmt.Sprintf("Now it is version %04d\n", n), 41+n))
	item.Content.Body = sinktest.Bytes(old.Version+"+", data)
	item.Content.Modified = item.Content.Modified.Add(time.Hour)
	return item
}

func odd() []sinks.Item[sinks.File] {
	names := []string{
		"with space", "100%", "a%20b", "a#b", "a;b=c&d", "a+b", "it's", "[x](y){z}", ".hidden", "~tilde", "ünï-cödé ß",
		"文件.txt", "😀.png", "e\u0301-decomposed", strings.Repeat("n", 246) + ".txt", "no extension", "CON_", "a,b@c!d$e",
	}
	var items []sinks.Item[sinks.File]
	for i, name := range names {
		item := file(100 + i)
		item.Content.Path = []string{name}
		items = append(items, item)
	}
	empty := file(99)
	empty.Content.Path = []string{"empty"}
	empty.Content.Body = sinktest.Bytes("empty", nil)
	return append(items, empty)
}

func open(t *testing.T, opts webdav.Options) *webdav.Sink {
	t.Helper()
	sink, err := webdav.Open(context.Background(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sink.Close() })
	return sink
}

func TestSinkOnEmbedded(t *testing.T) {
	server, err := embedded.StartFiles(t.TempDir(), []embedded.User{{Name: "u1", Password: "secret"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	url := strings.ReplaceAll(server.URL, "{user}", "u1")
	sinktest.Run(t, harness(login{url: url, user: "u1", password: "secret"}, odd()))
}
