package microsoft

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"
)

// Photo makes a JPEG of at least size bytes, and few more. The same seed and size give the same one.
func Photo(seed uint64, size int) []byte {
	side := 16
	for {
		picture := noise(seed, side)
		if len(picture) >= size {
			return picture
		}
		side = max(side+8, int(float64(side)*math.Sqrt(float64(size)/float64(len(picture)))))
	}
}

// noise encodes a square with random colours.
func noise(seed uint64, side int) []byte {
	rng := rand.New(rand.NewPCG(seed, 2))
	m := image.NewRGBA(image.Rect(0, 0, side, side))
	for i := range m.Pix {
		m.Pix[i] = byte(rng.Uint32())
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, &jpeg.Options{Quality: 80}); err != nil {
		panic(err) // a picture of this size can be encoded
	}
	return out.Bytes()
}
