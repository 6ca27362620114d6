package cloudsim

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Content is the body of a file or message. It never changes and may be opened any number of times at once.
type Content interface {
	// Size is the number of bytes.
	Size() int64
	// Open gives the bytes from offset on; the caller closes it. An offset beyond the end gives no bytes.
	Open(offset int64) (io.ReadCloser, error)
}

// Bytes is a Content that is kept in memory.
func Bytes(b []byte) Content { return memory(b) }

type memory []byte

func (m memory) Size() int64 { return int64(len(m)) }

func (m memory) Open(offset int64) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(m[min(offset, int64(len(m))):])), nil
}

// FileContent is a Content that is read from a file of the local disk, which must not change afterwards.
func FileContent(name string) (Content, error) {
	return FileIn(os.DirFS(filepath.Dir(name)), filepath.Base(name))
}

// FileIn is a Content that is read from a file that can be sought in.
func FileIn(files fs.FS, name string) (Content, error) {
	info, err := fs.Stat(files, name)
	if err != nil {
		return nil, fmt.Errorf("content: %w", err)
	}
	return stored{files, name, info.Size()}, nil
}

type stored struct {
	files fs.FS
	name  string
	size  int64
}

func (s stored) Size() int64 { return s.size }

func (s stored) Open(offset int64) (io.ReadCloser, error) {
	f, err := s.files.Open(s.name)
	if err != nil {
		return nil, err
	}
	seeker, ok := f.(io.Seeker)
	if !ok {
		_ = f.Close()
		return nil, fmt.Errorf("%s cannot be sought in", s.name)
	}
	if _, err := seeker.Seek(min(offset, s.size), io.SeekStart); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// summed is a Content that knows a cheaper way to its checksums than reading itself.
type summed interface {
	sums() (md5sum, sha256sum []byte)
}

// Checksums are worked out once, when somebody asks for them, and shared by all copies of a file's record.
type Checksums struct {
	once, onceSHA1    sync.Once
	md5, sha256, sha1 string
}

// Of returns the MD5 and SHA-256 of the body, in hex; empty where it cannot be read.
func (c *Checksums) Of(body Content) (md5hex, sha256hex string) {
	c.once.Do(func() {
		if s, ok := body.(summed); ok {
			m, s := s.sums()
			c.md5, c.sha256 = hex.EncodeToString(m), hex.EncodeToString(s)
			return
		}
		m, s := md5.New(), sha256.New()
		if digest(body, io.MultiWriter(m, s)) == nil {
			c.md5, c.sha256 = hexSum(m), hexSum(s)
		}
	})
	return c.md5, c.sha256
}

// SHA1 returns that of the body, in hex; empty where it cannot be read.
func (c *Checksums) SHA1(body Content) string {
	c.onceSHA1.Do(func() {
		h := sha1.New()
		if digest(body, h) == nil {
			c.sha1 = hexSum(h)
		}
	})
	return c.sha1
}

func digest(body Content, w io.Writer) error {
	r, err := body.Open(0)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(w, r)
	return err
}

func hexSum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }
