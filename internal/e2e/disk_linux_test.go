package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// disk is a file system of its own size, for who may mount one.
type disk struct {
	t   *testing.T
	dir string
}

func mounted(t *testing.T, dir, size string) disk {
	t.Helper()
	must(t, os.MkdirAll(dir, 0o700))
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("no file system of its own can be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return disk{t, dir}
}

func (d disk) resize(size string) {
	d.t.Helper()
	must(d.t, syscall.Mount("tmpfs", d.dir, "tmpfs", syscall.MS_REMOUNT, "size="+size))
}

// TestFullDiskUnderTheState fills the disk of the state file again and again: each run sums up what it did, names the file and says what
// to do. When there is room, the next run brings the rest, and nothing twice.
func TestFullDiskUnderTheState(t *testing.T) {
	apache := realserver.Apache(t, realserver.ApacheOptions{DepthInfinity: true})
	data := sim.Generate(organisation.Spec{Users: 1, Files: 900, Seed: 15, FileMin: 100, FileMax: 200})
	user := data.Users()[0].Email
	w := newWorld(t, data, sim.Options{}, urls{files: apache.FilesURL("{user}")}, person{source: user, target: one})
	d := mounted(t, filepath.Join(w.dir, "disk"), "1536k")
	job := value(os.ReadFile(w.job()))(t)
	must(t, os.WriteFile(w.job(), []byte(strings.Replace(string(job), "e2e.db", "disk/e2e.db", 1)), 0o600))
	var written int64
	for round := range 3 {
		d.resize(fmt.Sprintf("%dk", 1536+256*round))
		r := w.run(4)
		if r.report == nil || r.report.State != report.Interrupted && r.report.State != report.Stopped {
			t.Fatalf("round %d: no summary: %s\n%s", round, r.stdout, r.stderr)
		}
		// The small write that says why may fit where the large one did not.
		for _, say := range []string{"disk/e2e.db", "ake room where the state file lies"} {
			if !strings.Contains(r.stderr, say) {
				t.Errorf("round %d: %q is not in %s", round, say, r.stderr)
			}
		}
		t.Logf("round %d: %d written, %d of %d items are decided; %s", round, r.report.Pass.Written, r.report.Totals.Copied, r.report.Totals.Listed, r.stderr)
		if written += r.report.Pass.Written; r.report.Totals.Copied == 0 || r.report.Totals.Failed > 0 {
			t.Errorf("round %d: %+v", round, r.report.Totals)
		}
	}
	d.resize("64m")
	last := w.run(0)
	if last.report.Pass.Written == 0 || written == 0 {
		t.Errorf("nothing was left for the last run (%d), or nothing done before (%d)", last.report.Pass.Written, written)
	}
	checkFiles(t, data, user, readFiles(t, apache.FilesURL(one), one))
	settled(t, w.run(0), last)
}

// TestFullTemporaryFolder has no room for the messages that do not fit into memory: they fail, or stop their mailbox, each run sums up, and
// the next run with room brings them.
func TestFullTemporaryFolder(t *testing.T) {
	dovecot := realserver.Dovecot(t, realserver.DovecotOptions{})
	data := sim.Generate(organisation.Spec{Users: 1, Mail: 30, Seed: 16, MailMin: 300_000, MailMax: 500_000})
	user := data.Users()[0].Email
	w := newWorld(t, data, sim.Options{}, urls{mail: "imap://" + dovecot.IMAP}, person{source: user, target: one})
	d := mounted(t, filepath.Join(w.dir, "tmp"), "64k")
	t.Setenv("TMPDIR", d.dir)
	r := w.start("run", w.job(), "--json").wait()
	if r.report == nil || r.exit != 3 && r.exit != 4 || r.report.Totals.Copied+r.report.Totals.CopiedWithLosses == 30 {
		t.Fatalf("exit code %d\n%s\n%s", r.exit, r.stdout, r.stderr)
	}
	balanced(t, r.report)
	text := strings.Join(strings.Fields(w.start("status", w.job()).wait().stdout), " ")
	if !strings.Contains(text, "local.disk") || !strings.Contains(text, "make room there, or have TMPDIR name a folder with room") {
		t.Errorf("it is not said what to do: %s", text)
	}
	d.resize("64m")
	last := w.run(0)
	checkMail(t, data, user, readMail(t, dovecot.IMAP, one))
	settled(t, w.run(0), last)
}
