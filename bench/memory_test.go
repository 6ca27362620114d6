package bench

import (
	"fmt"
	"os"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/realserver"
)

// memoryLimit is what the whole process may take, whatever it moves.
const memoryLimit = 150e6

// TestConstantMemory moves a file and mails that are much larger than the memory they may take, at the same time. With
// BENCH_FULL=1 they are a file of 5 GB and 200 mails of 25 MB.
func TestConstantMemory(t *testing.T) {
	fileSize, mails := int64(1<<30), 40
	if testing.Short() {
		fileSize, mails = 200<<20, 16
	}
	if os.Getenv("BENCH_FULL") != "" {
		fileSize, mails = 5<<30, 200
	}
	const mailSize = 25_000_000
	apache := realserver.Apache(t, realserver.ApacheOptions{})
	dovecot := realserver.Dovecot(t, realserver.DovecotOptions{Fsync: "never"})
	size := fmt.Sprint(fileSize)
	source := startProvider(t, "--files", "1", "--file-min", size, "--file-max", size, "--events", "0",
		"--mail", fmt.Sprint(mails), "--mail-min", fmt.Sprint(mailSize), "--mail-max", fmt.Sprint(mailSize))
	target := fmt.Sprintf("{files: {webdav: %q}, mail: {imap: %q}}", apache.HTTP+"/dav/{user}/", "imap://"+dovecot.IMAP)
	o := source.migrate(t, job{kind: "files mail", target: target, user: "u1"})
	if want := float64(fileSize) + float64(mails)*mailSize*0.99; o.pass.Bytes < want {
		t.Errorf("moved %.0f bytes, want at least %.0f", o.pass.Bytes, want)
	}
	if o.memory > memoryLimit {
		t.Errorf("%.1f MB resident at most, want less than %.0f MB", float64(o.memory)/1e6, memoryLimit/1e6)
	}
	t.Logf("%.1f MB resident at most, %.1f GB in %.1f s", float64(o.memory)/1e6, o.pass.Bytes/1e9, o.wall.Seconds())
}

// TestConstantMemoryWithManyMails moves mails of a size of which the most are in memory at once.
func TestConstantMemoryWithManyMails(t *testing.T) {
	const mails, mailSize = 1200, 240_000
	dovecot := realserver.Dovecot(t, realserver.DovecotOptions{Fsync: "never"})
	source := startProvider(t, "--files", "0", "--events", "0", "--mail", fmt.Sprint(mails), "--mail-min", fmt.Sprint(mailSize), "--mail-max", fmt.Sprint(mailSize))
	o := source.migrate(t, job{kind: "mail", target: fmt.Sprintf("{mail: {imap: %q}}", "imap://"+dovecot.IMAP), user: "u1"})
	if o.pass.Written != mails {
		t.Errorf("moved %.0f mails", o.pass.Written)
	}
	if o.memory > memoryLimit {
		t.Errorf("%.1f MB resident at most, want less than %.0f MB", float64(o.memory)/1e6, memoryLimit/1e6)
	}
	t.Logf("%.1f MB resident at most, %.1f MB in %.1f s", float64(o.memory)/1e6, o.pass.Bytes/1e6, o.wall.Seconds())
}
