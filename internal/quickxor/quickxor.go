// Package quickxor computes quickXorHash, the digest that OneDrive and SharePoint state for each file
// (learn.microsoft.com/onedrive/developer/code-snippets/quickxorhash). It finds accidents and not attacks.
package quickxor

import (
	"encoding/binary"
	"hash"
)

const (
	// Size is the length of a digest in bytes.
	Size = 20
	bits = 8 * Size
	// shift is how far the register turns from one byte to the next, in bits.
	shift = 11
)

// New returns a new hash. Each byte of the input is XORed into a register of 160 bits, 11 bits further than the one before it; at
// the end the length in bytes is XORed into the last eight bytes.
func New() hash.Hash { return new(digest) }

// digest keeps one byte for each position at which an input byte can begin: the bytes that come 160 apart meet at the same one,
// and are laid into the register at the end.
type digest struct {
	cells  [bits]byte
	length uint64
}

func (d *digest) Write(p []byte) (int, error) {
	at := int(d.length % bits)
	for rest := p; len(rest) > 0; at = 0 {
		n := min(len(rest), bits-at)
		for i, b := range rest[:n] {
			d.cells[at+i] ^= b
		}
		rest = rest[n:]
	}
	d.length += uint64(len(p))
	return len(p), nil
}

func (d *digest) Sum(b []byte) []byte {
	var register [Size]byte
	for i, cell := range d.cells {
		bit := i * shift % bits
		wide := uint16(cell) << (bit % 8)
		register[bit/8] ^= byte(wide)
		register[(bit/8+1)%Size] ^= byte(wide >> 8)
	}
	tail := register[Size-8:]
	binary.LittleEndian.PutUint64(tail, binary.LittleEndian.Uint64(tail)^d.length)
	return append(b, register[:]...)
}

func (d *digest) Reset()         { *d = digest{} }
func (d *digest) Size() int      { return Size }
func (d *digest) BlockSize() int { return bits }
