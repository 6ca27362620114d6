package quickxor

import (
	"bytes"
	"encoding/base64"
	"math/big"
	"math/rand/v2"
	"testing"
)

// slow follows the published description bit by bit, on one large number.
func slow(data []byte) []byte {
	register := new(big.Int)
	for i, b := range data {
		for bit := range 8 {
			at := (i*11 + bit) % 160
			if b>>bit&1 == 1 {
				register.SetBit(register, at, register.Bit(at)^1)
			}
		}
	}
	length := new(big.Int).Lsh(big.NewInt(int64(len(data))), 160-64)
	register.Xor(register, length)
	out := register.FillBytes(make([]byte, Size))
	for i, j := 0, Size-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

func TestQuickXorIsWhatIsDescribed(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 2, 14, 15, 19, 20, 21, 159, 160, 161, 320, 321, 5000} {
		data := make([]byte, n)
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		h := New()
		for rest := data; len(rest) > 0; {
			k := 1 + random.IntN(len(rest))
			_, _ = h.Write(rest[:k])
			rest = rest[k:]
		}
		if got, want := h.Sum(nil), slow(data); !bytes.Equal(got, want) || !bytes.Equal(h.Sum(nil), want) {
			t.Errorf("%d bytes: got %x, want %x", n, got, want)
		}
	}
}

// The digests of the empty input and of one byte follow from the description alone.
func TestShortInputs(t *testing.T) {
	for in, want := range map[string]string{"": "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "J": "SgAAAAAAAAAAAAAAAQAAAAAAAAA="} {
		h := New()
		_, _ = h.Write([]byte(in))
		if got := base64.StdEncoding.EncodeToString(h.Sum(nil)); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

func BenchmarkQuickXor(b *testing.B) {
	buf := make([]byte, 64<<10)
	b.SetBytes(int64(len(buf)))
	for h := New(); b.Loop(); {
		_, _ = h.Write(buf)
	}
}
