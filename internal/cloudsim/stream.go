package cloudsim

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"sync"
)

const (
	chunkSize = 1 << 20 // the common stream differs in a counter at the start of each chunk
	tailSize  = 32      // what makes each generated body unique
	snapFine  = 4 << 10 // distance of the saved hash states in the first chunk
)

// Generated is a Content of the given size that is made up while it is read: the beginning of one common
// pseudo-random stream, and an end that depends on the seed. That makes checksums cheap: the states of the hashes
// along the common stream are kept, so that a body costs the hashing of a few kilobytes.
func Generated(seed uint64, size int64) Content {
	g := generated{common: commonStream(), size: size}
	copy(g.tail[:], fmt.Sprintf("%032x", seed))
	return g
}

type generated struct {
	common *stream
	size   int64
	tail   [tailSize]byte
}

func (g generated) Size() int64 { return g.size }

// shared is the length of what comes from the common stream.
func (g generated) shared() int64 { return max(0, g.size-tailSize) }

// end is the unique part; of a body that is shorter, its last bytes.
func (g generated) end() []byte { return g.tail[tailSize-(g.size-g.shared()):] }

func (g generated) Open(offset int64) (io.ReadCloser, error) {
	return &generatedReader{body: g, at: offset}, nil
}

func (g generated) sums() ([]byte, []byte) {
	m, s := g.common.hashes(g.shared())
	m.Write(g.end())
	s.Write(g.end())
	return m.Sum(nil), s.Sum(nil)
}

type generatedReader struct {
	body generated
	at   int64
}

func (r *generatedReader) Read(p []byte) (int, error) {
	n := copy(p, r.next())
	r.at += int64(n)
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// WriteTo spares the copy.
func (r *generatedReader) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for {
		piece := r.next()
		if len(piece) == 0 {
			return total, nil
		}
		n, err := w.Write(piece)
		total += int64(n)
		r.at += int64(n)
		if err != nil {
			return total, err
		}
	}
}

func (r *generatedReader) Close() error { return nil }

// next gives the bytes from here to the next seam.
func (r *generatedReader) next() []byte {
	shared := r.body.shared()
	if r.at >= shared {
		end := r.body.end()
		return end[min(r.at-shared, int64(len(end))):]
	}
	piece := r.body.common.at(r.at)
	return piece[:min(int64(len(piece)), shared-r.at)]
}

// commonStream is made once for the process: it is constant.
var commonStream = sync.OnceValue(newStream)

// stream is an endless sequence of chunks: a counter of eight bytes, then the same noise in each.
type stream struct {
	noise []byte

	mu    sync.Mutex
	fine  []hashState // every snapFine bytes in the first chunk
	whole []hashState // at the start of each chunk
}

type hashState struct{ md5, sha256 []byte }

func newStream() *stream {
	s := &stream{noise: make([]byte, chunkSize)}
	rng := rand.NewChaCha8([32]byte{1})
	_, _ = rng.Read(s.noise) // never fails
	return s
}

// at gives the bytes from the offset to the next seam of the chunk that it lies in.
func (s *stream) at(offset int64) []byte {
	index, in := offset/chunkSize, offset%chunkSize
	if in >= 8 {
		return s.noise[in:]
	}
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(index))
	return counter[in:]
}

// hashes gives MD5 and SHA-256 as they are after n bytes of the stream.
func (s *stream) hashes(n int64) (m, h hash.Hash) {
	s.mu.Lock()
	state, at := s.nearest(n)
	s.mu.Unlock()
	m, h = state.restore()
	s.feed(m, h, at, n)
	return m, h
}

// nearest gives the last saved state at or before n, after having extended the saved ones that far.
func (s *stream) nearest(n int64) (hashState, int64) {
	if len(s.whole) == 0 {
		s.whole = []hashState{saveHashes(md5.New(), sha256.New())}
		m, h := md5.New(), sha256.New()
		for at := int64(0); at < chunkSize; at += snapFine {
			s.fine = append(s.fine, saveHashes(m, h))
			s.feed(m, h, at, at+snapFine)
		}
	}
	if n < chunkSize {
		return s.fine[n/snapFine], n / snapFine * snapFine
	}
	for int64(len(s.whole)) <= n/chunkSize {
		at := int64(len(s.whole)-1) * chunkSize
		m, h := s.whole[len(s.whole)-1].restore()
		s.feed(m, h, at, at+chunkSize)
		s.whole = append(s.whole, saveHashes(m, h))
	}
	return s.whole[n/chunkSize], n / chunkSize * chunkSize
}

func (s *stream) feed(m, h hash.Hash, from, to int64) {
	for from < to {
		piece := s.at(from)
		piece = piece[:min(int64(len(piece)), to-from)]
		m.Write(piece)
		h.Write(piece)
		from += int64(len(piece))
	}
}

func saveHashes(m, h hash.Hash) hashState {
	a, _ := m.(encoding.BinaryMarshaler).MarshalBinary()
	b, _ := h.(encoding.BinaryMarshaler).MarshalBinary()
	return hashState{a, b}
}

func (st hashState) restore() (m, h hash.Hash) {
	m, h = md5.New(), sha256.New()
	_ = m.(encoding.BinaryUnmarshaler).UnmarshalBinary(st.md5)
	_ = h.(encoding.BinaryUnmarshaler).UnmarshalBinary(st.sha256)
	return m, h
}
