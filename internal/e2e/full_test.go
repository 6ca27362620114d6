package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
	"codeberg.org/repatriate/repatriate/internal/realserver"
)

const one = "u1"

// TestFullFiles lets a file server be full until somebody makes room.
func TestFullFiles(t *testing.T) {
	apache := realserver.Apache(t, realserver.ApacheOptions{Quota: "12M", DepthInfinity: true})
	ballast := filepath.Join(apache.Dir, "data", "ballast")
	must(t, os.WriteFile(ballast, make([]byte, 9<<20), 0o600))
	data := sim.Generate(organisation.Spec{Users: 1, Files: 60, Seed: 12, FileMin: 100_000, FileMax: 120_000})
	user := data.Users()[0].Email
	w := newWorld(t, data, sim.Options{}, urls{files: apache.FilesURL("{user}")}, person{source: user, target: one})
	r := w.run(4)
	w.stopped(r, user, "files", "target.quota")
	if n := r.report.Totals; n.Copied == 0 || n.Failed > 0 {
		t.Errorf("a full server: %+v", n)
	}
	must(t, os.Remove(ballast))
	w.run(0)
	checkFiles(t, data, user, readFiles(t, apache.FilesURL(one), one))
}

// TestFullMailbox lets a mail account be full until somebody makes room.
func TestFullMailbox(t *testing.T) {
	dovecot := realserver.Dovecot(t, realserver.DovecotOptions{Quota: "4M"})
	c := dialMail(t, dovecot.IMAP, one)
	must(t, c.Create("Ballast", nil).Wait())
	ballast := fmt.Appendf(nil, "Subject: ballast\r\n\r\n%s\r\n", bytes.Repeat([]byte("x\r\n"), 1<<20))
	a := c.Append("Ballast", int64(len(ballast)), nil)
	_, err := a.Write(ballast)
	must(t, err)
	must(t, a.Close())
	_, err = a.Wait()
	must(t, err)
	data := sim.Generate(organisation.Spec{Users: 1, Mail: 60, Seed: 13, MailMin: 40_000, MailMax: 50_000})
	user := data.Users()[0].Email
	w := newWorld(t, data, sim.Options{}, urls{mail: "imap://" + dovecot.IMAP}, person{source: user, target: one})
	r := w.run(4)
	w.stopped(r, user, "mail", "target.quota")
	if n := r.report.Totals; n.Copied+n.CopiedWithLosses == 0 || n.Failed > 0 {
		t.Errorf("a full account: %+v", n)
	}
	must(t, c.Delete("Ballast").Wait())
	w.run(0)
	checkMail(t, data, user, readMail(t, dovecot.IMAP, one))
}
