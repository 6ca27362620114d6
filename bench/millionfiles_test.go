package bench

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
	"codeberg.org/repatriate/repatriate/internal/realserver"

	"golang.org/x/sync/errgroup"
)

// TestDeltaOfAMillionFiles is TestDeltaOfAMillion for a drive, whose files have their places in the ledger's tree besides: a thousand in each
// folder. A second pass goes on where one was broken off within a page, which has the ledger look for moves that were not finished.
func TestDeltaOfAMillionFiles(t *testing.T) {
	n := items(t, 20_000)
	if os.Getenv("BENCH_FULL") != "" {
		n = items(t, 1_000_000)
	}
	const user = "user0001@example.org"
	apache := realserver.Apache(t, realserver.ApacheOptions{Accounts: realserver.Accounts{Count: 1}})
	data := google.Generate(organisation.Spec{Users: 1, Files: 20, Seed: 1})
	path := inProcess(t, data, fmt.Sprintf("{files: {webdav: %q}}", apache.FilesURL("{user}")))
	if first := passOf(t, path); first.Written < 20 {
		t.Fatalf("the first pass wrote %v", first.Written)
	}
	state, drive := filepath.Join(filepath.Dir(path), "bench.db"), checkpoint.Task{Account: user, Kind: "files", Collection: "drive"}
	place(t, state, drive, n)
	ids := addTen(t, data, user)
	bounded(t, "10 new files", n, passOf(t, path), 10)
	editTen(t, data, ids)
	breakOff(t, state, drive)
	bounded(t, "10 edited files, in a pass that goes on", n, passOf(t, path), 10)
}

func bounded(t *testing.T, what string, n int, o passed, written float64) {
	t.Helper()
	if o.Written != written || o.SourceRequests > 40 || o.TargetRequests > 80 {
		t.Errorf("%s: %v items written with %v requests to the source and %v to the target", what, o.Written, o.SourceRequests, o.TargetRequests)
	}
	if o.memory > memoryLimit {
		t.Errorf("%s: %.1f MB resident at most, want less than %.0f MB", what, float64(o.memory)/1e6, memoryLimit/1e6)
	}
	t.Logf("%s, %d records: %.1f s, %.1f MB resident at most, %v + %v requests", what, n, o.wall.Seconds(), float64(o.memory)/1e6, o.SourceRequests, o.TargetRequests)
}

// place adds n records to a drive, as files that were moved.
func place(t *testing.T, path string, task checkpoint.Task, n int) {
	t.Helper()
	withLedger(t, path, task, func(ledger checkpoint.Ledger, st checkpoint.Status) {
		const batch = 1000
		for at := 0; at < n; at += batch {
			size := min(batch, n-at)
			must(t, placeFolder(t.Context(), ledger, st.Generation, at, size))
		}
	})
}

// placeFolder adds a folder and the files in it, all in the state in which a run leaves them.
func placeFolder(ctx context.Context, ledger checkpoint.Ledger, generation int64, at, n int) error {
	folder := placed(generation, fmt.Sprintf("folder%09d", at), fmt.Sprintf("Folder %d", at), "")
	records := []checkpoint.Record{folder}
	for i := range n - 1 {
		records = append(records, placed(generation, fmt.Sprintf("1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs%09d", at+i), fmt.Sprintf("Minutes of the board %d.docx", i), folder.Title+"/"))
	}
	entries, asked := make([]checkpoint.Entry, len(records)), make([]checkpoint.Reservation, len(records))
	for i, r := range records {
		entries[i] = checkpoint.Entry{ID: r.ID, Title: r.Title, Link: r.Link}
		asked[i] = checkpoint.Reservation{Node: checkpoint.Node{ID: r.ID, ParentID: folder.ID, Wanted: r.Title}, Names: func(yield func(string) bool) { yield(r.Title) }}
	}
	asked[0].ParentID, asked[0].Folder = "", true
	if _, err := ledger.Enlist(ctx, generation, entries); err != nil {
		return err
	}
	if _, err := ledger.Reserve(ctx, asked...); err != nil {
		return err
	}
	return settle(ctx, ledger, records)
}

// settle says of each node that it lies where it should, many at once, so that the ledger can take them together.
func settle(ctx context.Context, ledger checkpoint.Ledger, records []checkpoint.Record) error {
	var group errgroup.Group
	group.SetLimit(256)
	for _, r := range records {
		group.Go(func() error { return ledger.Settle(ctx, r.ID, r) })
	}
	return group.Wait()
}

func placed(generation int64, id, title, folder string) checkpoint.Record {
	return checkpoint.Record{
		ID: id, Generation: generation, Version: "2024-05-06T07:08:09.123Z", State: checkpoint.Copied, Title: title, Link: "https://drive.google.com/open?id=" + id,
		Location: "/dav/u1/" + url.PathEscape(folder+title), ReceiptVersion: `"1f4-6177c0ffee"`, BodyVersion: fmt.Sprintf("md5:%032x", len(id)),
		ReceiptState: `{"size":500,"modified":1714979289}`, Bytes: 500, Digest: fmt.Sprintf("sha256:%064x", len(id)),
	}
}

// addTen adds files to a user's drive, and returns their ids.
func addTen(t *testing.T, data *google.Data, user string) []string {
	t.Helper()
	ids := make([]string, 10)
	for i := range ids {
		var err error
		ids[i], err = data.AddFile(user, google.File{Name: fmt.Sprintf("new %d.txt", i), Content: cloudsim.Bytes(fmt.Append(nil, "new ", i))})
		must(t, err)
	}
	return ids
}

func editTen(t *testing.T, data *google.Data, ids []string) {
	t.Helper()
	for i, id := range ids {
		must(t, data.Edit(id, cloudsim.Bytes(fmt.Append(nil, "edited ", i))))
	}
}

// breakOff sets the drive's cursor as a run leaves it that is killed within a page.
func breakOff(t *testing.T, path string, task checkpoint.Task) {
	t.Helper()
	withLedger(t, path, task, func(ledger checkpoint.Ledger, st checkpoint.Status) {
		must(t, ledger.Advance(t.Context(), checkpoint.Position{Cursor: "\x1f" + st.Cursor, Generation: st.Generation, Complete: st.Complete}))
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
