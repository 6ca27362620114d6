package bench

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/checkpoint/sqlite"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
	"codeberg.org/repatriate/repatriate/internal/realserver"
)

// TestDeltaOfAMillion makes ten changes in a mailbox of a million messages, moved long ago, and brings them over. The messages stand in
// the ledger alone: a pass that asked for any of them would fail. BENCH_SCALE multiplies their number; without BENCH_FULL it is 50,000.
func TestDeltaOfAMillion(t *testing.T) {
	n := items(t, 50_000)
	if os.Getenv("BENCH_FULL") != "" {
		n = items(t, 1_000_000)
	}
	const user = "user0001@example.org"
	dovecot := realserver.Dovecot(t, realserver.DovecotOptions{Fsync: "never"})
	data := google.Generate(organisation.Spec{Users: 1, Mail: 20, Seed: 1})
	path := inProcess(t, data, fmt.Sprintf("{mail: {imap: %q}}", "imap://"+dovecot.IMAP))
	if first := passOf(t, path); first.Written != 20 {
		t.Fatalf("the first pass wrote %v", first.Written)
	}
	remember(t, filepath.Join(filepath.Dir(path), "bench.db"), checkpoint.Task{Account: user, Kind: "mail", Collection: "mailbox"}, n)
	changeTen(t, data, user)
	o := passOf(t, path)
	if o.Written != 10 || o.SourceRequests > 20 || o.TargetRequests > 60 {
		t.Errorf("%v items written with %v requests to the source and %v to the target", o.Written, o.SourceRequests, o.TargetRequests)
	}
	if o.memory > memoryLimit {
		t.Errorf("%.1f MB resident at most, want less than %.0f MB", float64(o.memory)/1e6, memoryLimit/1e6)
	}
	t.Logf("%d records, 10 changes: %.1f s, %.1f MB resident at most, %v + %v requests", n, o.wall.Seconds(), float64(o.memory)/1e6, o.SourceRequests, o.TargetRequests)
}

// inProcess serves the data and writes a job that moves its user to the target.
func inProcess(t *testing.T, data *google.Data, target string) (path string) {
	t.Helper()
	provider := google.New(data, google.Options{})
	served := httptest.NewServer(provider)
	t.Cleanup(served.Close)
	dir := tempDir(t)
	write(t, dir, "sa.json", string(provider.KeyFile(served.URL+"/")))
	write(t, dir, "password", "secret\n")
	write(t, dir, "accounts.csv", "source,target,password\nuser0001@example.org,u1,file:password\n")
	write(t, dir, "job.yaml", fmt.Sprintf(`job: bench
state: bench.db
source: {google: {credentials: "file:sa.json", admin: "user0001@example.org", endpoint: %q, tier: unlimited}}
target: %s
accounts: accounts.csv
`, served.URL+"/", target))
	return filepath.Join(dir, "job.yaml")
}

// passed is what a run of the program did.
type passed struct {
	Written, SourceRequests, TargetRequests float64
	wall                                    time.Duration
	memory                                  int64
}

func passOf(t *testing.T, path string) passed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary(t), "run", path, "--json")
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	peak := watchMemory(cmd.Process.Pid)
	var report struct {
		Balanced bool
		Pass     struct {
			Written        float64
			SourceRequests float64 `json:"source_requests"`
			TargetRequests float64 `json:"target_requests"`
		}
	}
	decoded := json.NewDecoder(pipe).Decode(&report)
	if err := cmd.Wait(); err != nil || decoded != nil || !report.Balanced {
		t.Fatalf("run: %v, %v, %+v", err, decoded, report)
	}
	return passed{report.Pass.Written, report.Pass.SourceRequests, report.Pass.TargetRequests, time.Since(begin), peak()}
}

// withLedger opens a task's ledger while no run is under way.
func withLedger(t *testing.T, path string, task checkpoint.Task, use func(checkpoint.Ledger, checkpoint.Status)) {
	t.Helper()
	store, err := sqlite.Open(t.Context(), path, sqlite.Options{Job: "bench"})
	must(t, err)
	defer func() { must(t, store.Close()) }()
	ledger, err := store.Begin(t.Context(), task, "")
	must(t, err)
	st, err := ledger.Status(t.Context())
	must(t, err)
	use(ledger, st)
}

// remember adds n records to a task, as messages that were moved.
func remember(t *testing.T, path string, task checkpoint.Task, n int) {
	t.Helper()
	const batch = 5000
	withLedger(t, path, task, func(ledger checkpoint.Ledger, st checkpoint.Status) {
		for at := 0; at < n; at += batch {
			var entries []checkpoint.Entry
			var records []checkpoint.Record
			for i := at; i < min(at+batch, n); i++ {
				r := record(i)
				r.Generation = st.Generation
				entries, records = append(entries, checkpoint.Entry{ID: r.ID, Title: r.Title, Link: r.Link}), append(records, r)
			}
			_, err := ledger.Enlist(t.Context(), st.Generation, entries)
			must(t, err)
			must(t, ledger.Save(t.Context(), records...))
		}
	})
}

func record(i int) checkpoint.Record {
	return checkpoint.Record{
		ID: fmt.Sprintf("old%013x", i), Version: fmt.Sprintf("INBOX,CATEGORY_%d", i%7), State: checkpoint.Copied,
		Title: fmt.Sprintf("A subject of an ordinary length, number %d", i), Link: fmt.Sprintf("https://mail.google.com/mail/#all/18f%013x", i),
		Location: fmt.Sprintf("Archive;UIDVALIDITY=1700000000/;UID=%d", i+1), BodyVersion: fmt.Sprintf("18f%013x", i),
		ReceiptState: fmt.Sprintf(`{"flags":["\\Seen"],"mid":"message-%d@mail.example.org","size":%d,"date":1700000000}`, i, 2000+i%50_000),
		Bytes:        int64(2000 + i%50_000), Digest: fmt.Sprintf("sha256:%064x", i),
	}
}

// changeTen adds four messages, and stars six, or takes the star away.
func changeTen(t *testing.T, data *google.Data, user string) {
	t.Helper()
	old := data.Messages(user)[:6]
	for i := range 4 {
		_, err := data.ImportMail(user, fmt.Appendf(nil, "From: a@example.org\r\nMessage-ID: <new-%d@example.org>\r\nSubject: new %d\r\n\r\nNew.\r\n", i, i), "INBOX")
		must(t, err)
	}
	for _, m := range old {
		add, remove := []string{"STARRED"}, []string(nil)
		if slices.Contains(m.Labels, "STARRED") {
			add, remove = remove, add
		}
		must(t, data.Relabel(user, m.ID, add, remove))
	}
}
