package bench

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/realserver"
)

// blobs makes files like those of the simulated provider.
func blobs(tb testing.TB, n int, least, most int64) []object {
	tb.Helper()
	rng := rand.New(rand.NewPCG(7, 7))
	out := make([]object, n)
	for i := range out {
		body, err := cloudsim.Generated(rng.Uint64(), least+rng.Int64N(most-least+1)).Open(0)
		if err != nil {
			tb.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := io.Copy(&b, body); err != nil {
			tb.Fatal(err)
		}
		out[i] = object{fmt.Sprintf("f%05d.pdf", i), "application/pdf", b.Bytes()}
	}
	return out
}

// BenchmarkFiles moves files of 4 to 200 KB into an Apache with mod_dav.
func BenchmarkFiles(b *testing.B) { benchmarkFiles(b, 0) }

// BenchmarkFilesFar is BenchmarkFiles with a delay on both sides; the limit is that without.
func BenchmarkFilesFar(b *testing.B) { benchmarkFiles(b, delay) }

func benchmarkFiles(b *testing.B, far time.Duration) {
	n := items(b, 4000)
	server := realserver.Apache(b, realserver.ApacheOptions{Accounts: realserver.Accounts{Count: 40}})
	source := startProvider(b, "--files", fmt.Sprint(n), "--mail", "0", "--events", "0", "--latency", far.String())
	root := awayURL(b, server.HTTP, far)
	objects := blobs(b, n, 4<<10, 200<<10)
	for b.Loop() {
		s := series{server: server, items: n}
		for i := range rounds(b) {
			user := server.User(2*i + 1).User
			s.limit(func() float64 { return rawPut(b, server.FilesURL(user), user, objects, 8, nil) })
			if far == 0 {
				empty(b, server, user)
				s.fetchingLimit(rawPut(b, server.FilesURL(user), user, objects, 8, source.files(b)))
			}
			s.migration(source, func() outcome {
				return source.migrate(b, job{kind: "files", target: fmt.Sprintf("{files: {webdav: %q}}", root+"/dav/{user}/"), user: server.User(2*i + 2).User})
			})
			empty(b, server, user, server.User(2*i+2).User)
		}
		s.report(b, "files")
	}
}

// BenchmarkLargeFile moves one file of 500 MB into an Apache, beside curl that uploads the same amount from a local
// file.
func BenchmarkLargeFile(b *testing.B) { benchmarkLargeFiles(b, 1) }

// BenchmarkLargeFiles moves four files of 500 MB at once, beside four transfers of one curl.
func BenchmarkLargeFiles(b *testing.B) { benchmarkLargeFiles(b, 4) }

func benchmarkLargeFiles(b *testing.B, n int) {
	const size = 500 << 20
	curl, err := exec.LookPath("curl")
	if err != nil {
		b.Skip(err)
	}
	server := realserver.Apache(b, realserver.ApacheOptions{Accounts: realserver.Accounts{Count: 40}})
	source := startProvider(b, "--files", fmt.Sprint(n), "--mail", "0", "--events", "0", "--file-min", fmt.Sprint(size), "--file-max", fmt.Sprint(size))
	local := localFile(b, size)
	// The provider finds out the digests of its files once; a real one knows them.
	source.migrate(b, job{kind: "files", target: fmt.Sprintf("{files: {webdav: %q}}", server.HTTP+"/dav/{user}/"), user: "u1", flags: []string{"--dry-run"}})
	for b.Loop() {
		s := series{server: server, items: n * size / 1e6}
		for i := range rounds(b) {
			user := server.User(2*i + 1).User
			s.limit(func() float64 { return upload(b, curl, server.FilesURL(user), user, local, n) * size / 1e6 })
			empty(b, server, user)
			s.fetchingLimit(relay(b, server.FilesURL(user), user, source.openFiles(b), n) * size / 1e6)
			s.migration(source, func() outcome {
				o := source.migrate(b, job{kind: "files", target: fmt.Sprintf("{files: {webdav: %q}}", server.HTTP+"/dav/{user}/"), user: server.User(2*i + 2).User})
				o.pass.Written = o.pass.Bytes / 1e6 // the folder is none of it
				return o
			})
			empty(b, server, user, server.User(2*i+2).User)
		}
		s.report(b, "MB")
	}
}

// localFile makes a file of the given size.
func localFile(tb testing.TB, size int64) string {
	tb.Helper()
	name := filepath.Join(tempDir(tb), "large")
	f, err := os.Create(name)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	body, err := cloudsim.Generated(1, size).Open(0)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := io.Copy(f, body); err != nil {
		tb.Fatal(err)
	}
	return name
}

// upload has curl send the file n times at once, and returns how many a second arrived.
func upload(tb testing.TB, curl, collection, user, file string, n int) float64 {
	tb.Helper()
	args := []string{"-sSf", "-Z", "--parallel-max", fmt.Sprint(n), "-u", user + ":secret"}
	for i := range n {
		args = append(args, "-T", file, "-o", os.DevNull, fmt.Sprintf("%slarge%d", collection, i))
	}
	start := time.Now()
	if out, err := exec.Command(curl, args...).CombinedOutput(); err != nil {
		tb.Fatalf("curl: %v: %s", err, out)
	}
	return float64(n) / time.Since(start).Seconds()
}

// relay sends what open opens on as it comes, n of them at once, and returns how many a second arrived.
func relay(tb testing.TB, collection, user string, open opener, n int) float64 {
	tb.Helper()
	client := &http.Client{Transport: httpx.NewTransport()}
	defer client.CloseIdleConnections()
	start := time.Now()
	var g errgroup.Group
	for i := range n {
		g.Go(func() error {
			body, size, err := open(i)
			if err != nil {
				return err
			}
			defer body.Close()
			req, err := http.NewRequest(http.MethodPut, fmt.Sprintf("%sfetched%d", collection, i), body)
			if err != nil {
				return err
			}
			req.ContentLength = size
			return answered(client, req, user)
		})
	}
	if err := g.Wait(); err != nil {
		tb.Fatal(err)
	}
	return float64(n) / time.Since(start).Seconds()
}

// empty takes away what lies in the users' folders, so that a round does not pay for the disk that the last one filled.
func empty(tb testing.TB, server *realserver.Server, users ...string) {
	tb.Helper()
	for _, user := range users {
		entries, err := os.ReadDir(filepath.Join(server.Dir, "data", user))
		if err != nil {
			tb.Fatal(err)
		}
		for _, e := range entries {
			if err := os.RemoveAll(filepath.Join(server.Dir, "data", user, e.Name())); err != nil {
				tb.Fatal(err)
			}
		}
	}
}

// awayURL is away for the root of an HTTP server.
func awayURL(tb testing.TB, root string, far time.Duration) string {
	tb.Helper()
	u, err := url.Parse(root)
	if err != nil {
		tb.Fatal(err)
	}
	u.Host = away(tb, u.Host, far)
	return u.String()
}
