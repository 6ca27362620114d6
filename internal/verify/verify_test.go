package verify_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/quickxor"
	"codeberg.org/repatriate/repatriate/internal/verify"
)

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

func sha(b []byte) string { s := sha256.Sum256(b); return hex.EncodeToString(s[:]) }

func quick(b []byte) string {
	h := quickxor.New()
	_, _ = h.Write(b)
	return hex.EncodeToString(h.Sum(nil))
}

func md(b []byte) string { s := md5.Sum(b); return hex.EncodeToString(s[:]) }

// server hands out data in the order of its script: one entry for each time the body is opened.
type server struct {
	data   []byte
	script []part
	opened []int64
}

// part is how one stream goes.
type part struct {
	length  int   // bytes until it ends; 0: all
	err     error // how it ends then; nil: io.EOF
	refuse  error // not opened at all
	noRange bool  // starts at the beginning whatever was asked
	ahead   int64 // starts too far behind
	extra   int   // bytes beyond the end
	wrap    func(io.Reader) io.Reader
}

func (s *server) open(_ context.Context, offset int64) (io.ReadCloser, int64, error) {
	p := s.script[min(len(s.opened), len(s.script)-1)]
	s.opened = append(s.opened, offset)
	if p.refuse != nil {
		return nil, 0, p.refuse
	}
	at := offset + p.ahead
	if p.noRange {
		at = 0
	}
	rest := s.data[at:]
	var r io.Reader = bytes.NewReader(append(bytes.Clone(rest), make([]byte, p.extra)...))
	if p.length > 0 {
		r = bytes.NewReader(rest[:min(p.length, len(rest))])
	}
	if p.err != nil {
		r = io.MultiReader(r, iotest.ErrReader(p.err))
	}
	if p.wrap != nil {
		r = p.wrap(r)
	}
	return io.NopCloser(r), at, nil
}

// readerCase is one way in which a body may come.
type readerCase struct {
	name   string
	data   []byte
	want   verify.Want
	opts   verify.Options
	script []part
	reason fault.Reason // empty: the body arrives
	opened int
	sha    bool
}

// whole is the content of the larger cases, of which the smaller ones are the start.
var whole = random(5_300_000)

func readerCases() []readerCase {
	data := whole[:300_000]
	all := verify.Want{Size: int64(len(data)), SHA256: sha(data)}
	cut := errors.New("connection reset")
	busy := fault.New(fault.Retry, fault.SourceThrottled, "slow down").WithAfter(10 * time.Second)
	big := whole
	bigger := verify.Want{Size: int64(len(big)), SHA256: sha(big)}
	badBig := bytes.Clone(big)
	badBig[len(badBig)-1] ^= 1
	bad := bytes.Clone(data)
	bad[len(bad)-1] ^= 1
	return []readerCase{
		{"whole", data, all, verify.Options{}, []part{{}}, "", 1, true},
		{"upper-case digest", data, verify.Want{Size: -1, SHA256: fmt.Sprintf("%X", sha256.Sum256(data))}, verify.Options{}, []part{{}}, "", 1, true},
		{"by MD5", data, verify.Want{Size: all.Size, MD5: md(data)}, verify.Options{}, []part{{}}, "", 1, false},
		{"by length alone", data, verify.Want{Size: all.Size}, verify.Options{}, []part{{}}, "", 1, true},
		{"of unknown length", data, verify.Want{Size: -1}, verify.Options{Once: true}, []part{{}}, "", 1, true},
		{"by quickXorHash", data, verify.Want{Size: all.Size, QuickXor: quick(data)}, verify.Options{}, []part{{}}, "", 1, false},
		{"wrong by quickXorHash", bad, verify.Want{Size: all.Size, QuickXor: quick(data)}, verify.Options{}, []part{{}}, fault.SourceHashMismatch, 1, false},
		{"by SHA-1", data, verify.Want{Size: all.Size, SHA1: fmt.Sprintf("%x", sha1.Sum(data))}, verify.Options{}, []part{{}}, "", 1, false},
		{"wrong by SHA-1", bad, verify.Want{Size: all.Size, SHA1: fmt.Sprintf("%x", sha1.Sum(data))}, verify.Options{}, []part{{}}, fault.SourceHashMismatch, 1, false},
		{"empty", nil, verify.Want{Size: 0, MD5: md(nil)}, verify.Options{}, []part{{}}, "", 1, false},
		{"one byte", data[:1], verify.Want{Size: 1, SHA256: sha(data[:1])}, verify.Options{}, []part{{}}, "", 1, true},
		{"error together with the last bytes", data, all, verify.Options{}, []part{{wrap: iotest.DataErrReader}}, "", 1, true},
		{"byte by byte", data[:9000], verify.Want{Size: 9000, SHA256: sha(data[:9000])}, verify.Options{}, []part{{wrap: iotest.OneByteReader}}, "", 1, true},
		{"cut once", data, all, verify.Options{}, []part{{length: 70_001, err: cut}, {}}, "", 2, true},
		{"ended early", data, all, verify.Options{}, []part{{length: 70_001}, {}}, "", 2, true},
		{"cut in the last bytes", data, all, verify.Options{}, []part{{length: len(data) - 1, err: cut}, {}}, "", 2, true},
		{"cut after the last byte", data, all, verify.Options{}, []part{{length: len(data), err: cut}, {}}, "", 1, true},
		{"resumed without ranges", data, all, verify.Options{}, []part{{length: 70_001, err: cut}, {noRange: true}}, "", 2, true},
		{"skipping cut as well", data, all, verify.Options{}, []part{{length: 70_001, err: cut}, {noRange: true, length: 4}, {}}, "", 3, true},
		{"throttled meanwhile", data, all, verify.Options{}, []part{{length: 9, err: cut}, {refuse: busy}, {}}, "", 3, true},
		{"many cuts, the last without progress", data, all, verify.Options{}, []part{{length: 9, err: cut}}, fault.SourceBrokenBody, 9, false},
		{"forbidden meanwhile", data, all, verify.Options{}, []part{{length: 9, err: cut}, {refuse: fault.New(fault.FailItem, fault.SourceForbidden, "no")}}, fault.SourceForbidden, 2, false},
		{"throttled for long", data, all, verify.Options{}, []part{{length: 9, err: cut}, {refuse: busy.WithAfter(time.Hour)}}, fault.SourceThrottled, 2, false},
		{"too long", data, all, verify.Options{}, []part{{extra: 1}}, fault.SourceBrokenBody, 1, false},
		{"starts too late", data, all, verify.Options{}, []part{{ahead: 1}}, fault.SourceBrokenBody, 1, false},
		{"wrong last byte", bad, all, verify.Options{}, []part{{}}, fault.SourceHashMismatch, 1, false},
		{"wrong by MD5", bad, verify.Want{Size: all.Size, MD5: md(data)}, verify.Options{}, []part{{}}, fault.SourceHashMismatch, 1, false},
		{"wrong at unknown length", bad, verify.Want{Size: -1, SHA256: sha(data)}, verify.Options{}, []part{{}}, fault.SourceHashMismatch, 1, false},
		{"cut and cannot be resumed", data, verify.Want{Size: -1}, verify.Options{Once: true}, []part{{length: 70_001, err: cut}}, fault.SourceBrokenBody, 1, false},
		{"short and cannot be resumed", data, all, verify.Options{Once: true}, []part{{length: 70_001}}, fault.SourceBrokenBody, 1, false},
		{"large", big, bigger, verify.Options{}, []part{{}}, "", 1, true},
		{"large, cut", big, bigger, verify.Options{}, []part{{length: 4_500_000, err: cut}, {}}, "", 2, true},
		{"large, often cut after progress", big, bigger, verify.Options{}, []part{{length: 1_100_000, err: cut}}, "", 5, true},
		{"large, wrong last byte", badBig, bigger, verify.Options{}, []part{{}}, fault.SourceHashMismatch, 1, false},
		{"large, too long", big, bigger, verify.Options{}, []part{{extra: 1}}, fault.SourceBrokenBody, 1, false},
		{"large, forbidden meanwhile", big, bigger, verify.Options{}, []part{{length: 9, err: cut}, {refuse: fault.New(fault.FailItem, fault.SourceForbidden, "no")}}, fault.SourceForbidden, 2, false},
	}
}

func TestReader(t *testing.T) {
	for _, tt := range readerCases() {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for mode, read := range map[string]func(io.Reader) ([]byte, error){"Read": readAll, "WriteTo": writeTo, "small reads": smallReads} {
					s := &server{data: tt.data, script: tt.script}
					got, digest, err := readBody(t, s, tt.want, tt.opts, read)
					if len(s.opened) != tt.opened {
						t.Errorf("%s: opened at %v, want %d times", mode, s.opened, tt.opened)
					}
					if tt.reason == "" {
						if err != nil || !bytes.Equal(got, tt.data) {
							t.Errorf("%s: got %d bytes, %v", mode, len(got), err)
						}
						if want := map[bool]string{true: sha(tt.data)}[tt.sha]; digest != want {
							t.Errorf("%s: digest %q, want %q", mode, digest, want)
						}
						continue
					}
					if err == nil || fault.Of(err).Reason != tt.reason {
						t.Errorf("%s: error %v, want the reason %s", mode, err, tt.reason)
					}
					if len(got) >= int(max(tt.want.Size, 300_000)) || !bytes.HasPrefix(whole, got) {
						t.Errorf("%s: %d bytes were handed out without proof", mode, len(got))
					}
					if digest != "" {
						t.Errorf("%s: a digest of what was not proven", mode)
					}
				}
			})
		})
	}
}

func readBody(t *testing.T, s *server, w verify.Want, o verify.Options, read func(io.Reader) ([]byte, error)) ([]byte, string, error) {
	t.Helper()
	r, err := verify.Open(t.Context(), w, s.open, o)
	if err != nil {
		return nil, "", err
	}
	defer r.Close()
	got, err := read(r)
	sum, ok := r.SHA256()
	if !ok {
		return got, "", err
	}
	return got, hex.EncodeToString(sum[:]), err
}

func readAll(r io.Reader) ([]byte, error) { return io.ReadAll(struct{ io.Reader }{r}) }

func writeTo(r io.Reader) ([]byte, error) {
	var b bytes.Buffer
	_, err := r.(io.WriterTo).WriteTo(&b)
	return b.Bytes(), err
}

func smallReads(r io.Reader) ([]byte, error) { return io.ReadAll(iotest.OneByteReader(r)) }

func TestCancelledIsNoFault(t *testing.T) {
	data := random(200_000)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := &server{data: data, script: []part{{length: 100_000, err: errors.New("reset")}}}
		r, err := verify.Open(ctx, verify.Want{Size: int64(len(data))}, s.open, verify.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if _, err := io.ReadFull(r, make([]byte, 100_000)); err != nil {
			t.Fatal(err)
		}
		cancel()
		if _, err := r.Read(make([]byte, 10)); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want the context's", err)
		}
	})
}

func TestLargeBodyIsLeftAtOnce(t *testing.T) {
	data := random(6_000_000)
	for _, end := range []string{"close", "cancel"} {
		t.Run(end, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left behind
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				hang := func(streamed context.Context, offset int64) (io.ReadCloser, int64, error) {
					return io.NopCloser(io.MultiReader(bytes.NewReader(data[:1_000_000]), hanging{streamed})), 0, nil
				}
				r, err := verify.Open(ctx, verify.Want{Size: int64(len(data))}, hang, verify.Options{})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(r, make([]byte, 1_000_000)); err != nil {
					t.Fatal(err)
				}
				if end == "cancel" {
					cancel()
					if _, err := r.Read(make([]byte, 10)); !errors.Is(err, context.Canceled) {
						t.Errorf("error %v", err)
					}
				}
				if _, ok := r.SHA256(); ok {
					t.Error("a digest of a part")
				}
				if err := r.Close(); err != nil {
					t.Error(err)
				}
				if n, err := r.Read(make([]byte, 10)); n != 0 || err == nil || err == io.EOF {
					t.Errorf("read %d bytes after closing, %v", n, err)
				}
			})
		})
	}
}

// hanging blocks until its context ends.
type hanging struct{ ctx context.Context }

func (h hanging) Read([]byte) (int, error) { <-h.ctx.Done(); return 0, h.ctx.Err() }

func TestReadAfterClose(t *testing.T) {
	s := &server{data: random(9000), script: []part{{}}}
	r, err := verify.Open(t.Context(), verify.Want{Size: 9000}, s.open, verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Close(), r.Close()); err != nil {
		t.Error(err)
	}
	if n, err := r.Read(make([]byte, 10)); n != 0 || err == nil || err == io.EOF {
		t.Errorf("read %d bytes, %v", n, err)
	}
	if _, ok := r.SHA256(); ok {
		t.Error("a digest of a body that was not read")
	}
}

func TestCloseEndsARead(t *testing.T) {
	for _, size := range []int64{1_000_000, 10_000_000} {
		synctest.Test(t, func(t *testing.T) {
			hang := func(ctx context.Context, _ int64) (io.ReadCloser, int64, error) {
				return io.NopCloser(hanging{ctx}), 0, nil
			}
			r, err := verify.Open(t.Context(), verify.Want{Size: size}, hang, verify.Options{})
			if err != nil {
				t.Fatal(err)
			}
			read := make(chan error)
			go func() {
				_, err := r.Read(make([]byte, 10))
				read <- err
			}()
			synctest.Wait()
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			if err := <-read; err == nil || err == io.EOF {
				t.Errorf("the read ended with %v", err)
			}
		})
	}
}

func TestOpenErrorIsReturned(t *testing.T) {
	gone := fault.New(fault.FailItem, fault.SourceGone, "gone")
	s := &server{script: []part{{refuse: gone}}}
	if _, err := verify.Open(t.Context(), verify.Want{Size: 1}, s.open, verify.Options{}); !errors.Is(err, gone) {
		t.Errorf("error %v", err)
	}
}
