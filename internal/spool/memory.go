package spool

import (
	"bytes"
	"sync"
	"sync/atomic"
)

// sizes are those of the memory that Spools take turns with. To have it cleared and collected for each body would cost more than to
// fill it.
var sizes = [...]int{4 << 10, 6 << 10, 8 << 10, 12 << 10, 16 << 10, 24 << 10, 32 << 10, 48 << 10, 64 << 10, 96 << 10, 128 << 10, 192 << 10, DefaultLimit}

var used [len(sizes)]sync.Pool

// memory holds a body. It goes to the next Spool when the last of its users has let go: the Spool, or a reader that is still open.
type memory struct {
	bytes []byte
	size  int // its place in sizes; none: -1
	users atomic.Int32
}

// newMemory returns memory for at least so many bytes, and no more than most.
func newMemory(least, most int) *memory {
	m := &memory{size: -1}
	for i, n := range sizes {
		if least > sizes[0]/2 && least <= n && n <= most {
			m = again(i)
			break
		}
	}
	if m.bytes == nil {
		m.bytes = make([]byte, 0, least)
	}
	m.users.Store(1)
	return m
}

func again(size int) *memory {
	if m, ok := used[size].Get().(*memory); ok {
		return m
	}
	return &memory{bytes: make([]byte, 0, sizes[size]), size: size}
}

func (m *memory) letGo() {
	if m == nil || m.users.Add(-1) > 0 || m.size < 0 {
		return
	}
	m.bytes = m.bytes[:0]
	used[m.size].Put(m)
}

// memoryReader keeps the memory until it is closed. An HTTP client may close a body while it reads.
type memoryReader struct {
	mu     sync.Mutex
	reader *bytes.Reader // nil: closed
	memory *memory
}

func (m *memory) open() *memoryReader {
	m.users.Add(1)
	return &memoryReader{reader: bytes.NewReader(m.bytes), memory: m}
}

func (r *memoryReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reader == nil {
		return 0, ErrReleased
	}
	return r.reader.Read(p)
}

func (r *memoryReader) Seek(offset int64, whence int) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reader == nil {
		return 0, ErrReleased
	}
	return r.reader.Seek(offset, whence)
}

func (r *memoryReader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reader != nil {
		r.reader = nil
		r.memory.letGo()
	}
	return nil
}
