package google

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
)

const photoRoot = "/contactphotos/"

// photo is an image that is made when somebody asks for it.
type photo struct {
	seed uint64
	size int // bytes that the original has at least; 0 for an avatar
	once sync.Once
	body []byte // the original
	side int    // its width and height
}

// addPhoto makes another image of at least that size for a resource and gives its path.
func (d *Data) addPhoto(name string, size int) string {
	sum := hashOf("photo", d.domain, name, fmt.Sprint(len(d.photos)))
	id := fmt.Sprintf("AG%x", sum[:12])
	if d.photos == nil {
		d.photos = map[string]*photo{}
	}
	d.photos[id] = &photo{seed: uint64(sum[12])<<8 | uint64(sum[13]), size: size}
	return photoRoot + id
}

// photoURL gives the address of a photo of a resource: generate:SIZE becomes an image here, everything else stays.
func (d *Data) photoURL(name, url string) (string, error) {
	size, ok := strings.CutPrefix(url, "generate:")
	if !ok {
		return url, nil
	}
	n, err := organisation.ParseSize(size)
	if err != nil || n < 1 || n > 8<<20 {
		return "", fmt.Errorf("photo of %s: %q is no size up to 8 MB", name, size)
	}
	return d.addPhoto(name, int(n)) + "=s100", nil
}

// original makes the image in its full size.
func (p *photo) original() ([]byte, int) {
	p.once.Do(func() {
		p.side = max(96, int(math.Sqrt(float64(p.size))))
		for p.body = p.render(p.side); len(p.body) < p.size; p.body = p.render(p.side) {
			p.side += p.side / 4
		}
	})
	return p.body, p.side
}

// sized gives the image in a width and height; 0 and more than it has give the original.
func (p *photo) sized(side int) []byte {
	body, full := p.original()
	if side == 0 || side >= full {
		return body
	}
	return p.render(side)
}

// render draws an avatar in one colour as PNG, and noise that no format makes small as JPEG, or as PNG for every fourth.
func (p *photo) render(side int) []byte {
	rng := rand.New(rand.NewPCG(p.seed, 3))
	img := image.NewRGBA(image.Rect(0, 0, side, side))
	base := color.RGBA{uint8(rng.UintN(256)), uint8(rng.UintN(256)), uint8(rng.UintN(256)), 255}
	for y := range side {
		for x := range side {
			c := base
			if p.size > 0 {
				noise := rng.Uint32()
				c = color.RGBA{base.R/2 + uint8(noise)/2, base.G/2 + uint8(noise>>8)/2, base.B/2 + uint8(noise>>16)/2, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	var out bytes.Buffer
	if p.size == 0 || p.seed%4 == 0 {
		_ = png.Encode(&out, img) // a buffer takes everything
	} else {
		_ = jpeg.Encode(&out, img, &jpeg.Options{Quality: 85})
	}
	return out.Bytes()
}

// photoName is the last part of the path of a photo: its id, and the size and the options after an equals sign.
var photoName = regexp.MustCompile(`^([A-Za-z0-9_-]+?)(?:=s([0-9]{1,4})(?:-[a-z]+)*)?$`)

// servePhoto answers a request for a contact's photo, which needs no token.
func (s *Server) servePhoto(w http.ResponseWriter, r *http.Request) {
	s.Delay(r)
	w, _, finish, answered := s.Strike(w, r, "contactphotos.get", refuse)
	if answered {
		return
	}
	defer finish()
	name := photoName.FindStringSubmatch(r.PathValue("id"))
	if name == nil {
		http.NotFound(w, r)
		return
	}
	s.data.mu.Lock()
	p := s.data.photos[name[1]]
	s.data.mu.Unlock()
	if p == nil {
		http.NotFound(w, r)
		return
	}
	side := 100
	if sz := r.URL.Query().Get("sz"); sz != "" {
		name[2] = sz
	}
	if name[2] != "" {
		side, _ = strconv.Atoi(name[2])
	}
	body := p.sized(max(side, 0))
	w.Header().Set("Content-Type", http.DetectContentType(body))
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}
