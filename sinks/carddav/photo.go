package carddav

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"image"
	_ "image/gif" // a form of pictures that providers hand out
	"image/jpeg"
	_ "image/png" // another
	"io"
	"net/http"
	"strings"

	"golang.org/x/image/draw"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/sinks"
)

// The bounds of a picture: of what is read, and of what is decoded.
const (
	maxPhoto  = 32 << 20
	maxPixels = 64 << 20
)

// readPhoto reads the picture; nil if there is none.
func readPhoto(ctx context.Context, b sinks.Body) ([]byte, []sinks.Loss, error) {
	if b.Open == nil {
		return nil, nil, nil
	}
	r, err := b.Open(ctx)
	if errors.Is(err, sinks.ErrNoPhoto) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, maxPhoto+1))
	switch {
	case err != nil:
		return nil, nil, err
	case len(data) == 0:
		return nil, nil, nil
	case len(data) > maxPhoto:
		return nil, []sinks.Loss{{Reason: LossPhotoLeft, Detail: "it is larger than any picture"}}, nil
	case !strings.HasPrefix(http.DetectContentType(data), "image/"):
		return nil, []sinks.Loss{{Reason: LossPhotoLeft, Detail: "what the provider gave is no picture"}}, nil
	}
	return data, nil, nil
}

// withPhoto returns the card with the picture, made smaller where there is less room; fits is false if that cannot be.
func withPhoto(card, picture []byte, room int) (data []byte, smaller, fits bool) {
	if picture == nil {
		return card, false, true
	}
	if line := photoLine(card, picture); len(line) <= room {
		return beforeEnd(card, line), false, true
	}
	img, ok := decode(picture)
	if !ok {
		return nil, false, false
	}
	for side := min(1024, max(img.Bounds().Dx(), img.Bounds().Dy())); side >= 48; side = side * 3 / 4 {
		if line := photoLine(card, scaled(img, side)); len(line) <= room {
			return beforeEnd(card, line), true, true
		}
	}
	return nil, false, false
}

// photoLine writes the property in the version of the card (RFC 6350 §6.2.4, RFC 2426 §3.1.4).
func photoLine(card, picture []byte) []byte {
	kind := http.DetectContentType(picture)
	encoded := base64.StdEncoding.EncodeToString(picture)
	if bytes.Contains(card, []byte("\r\nVERSION:4.0\r\n")) {
		return icalendar.Raw("PHOTO", "data:"+kind+";base64,"+encoded).Append(nil)
	}
	name := strings.ToUpper(strings.TrimPrefix(kind, "image/"))
	return icalendar.Raw("PHOTO", encoded, icalendar.P("ENCODING", "b"), icalendar.P("TYPE", name)).Append(nil)
}

// decode reads a picture of a bounded number of pixels.
func decode(picture []byte) (image.Image, bool) {
	c, _, err := image.DecodeConfig(bytes.NewReader(picture))
	if err != nil || c.Width <= 0 || c.Height <= 0 || c.Width > maxPixels/c.Height {
		return nil, false
	}
	img, _, err := image.Decode(bytes.NewReader(picture))
	return img, err == nil
}

// scaled returns the picture as a JPEG whose longer side has so many pixels at most.
func scaled(img image.Image, side int) []byte {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	if longer := max(w, h); longer > side {
		w, h = max(1, w*side/longer), max(1, h*side/longer)
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.CatmullRom.Scale(out, out.Bounds(), img, img.Bounds(), draw.Src, nil)
	var b bytes.Buffer
	_ = jpeg.Encode(&b, out, &jpeg.Options{Quality: 85}) // a bytes.Buffer takes everything
	return b.Bytes()
}
