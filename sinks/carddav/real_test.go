package carddav

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/xml"
	"image"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-vcard"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
)

// TestBooksOnRealServers have the names that they were given, are found again, and the main one is the server's own where that has one.
func TestBooksOnRealServers(t *testing.T) {
	radicale := realserver.Radicale(t, realserver.RadicaleOptions{})
	cyrus := realserver.Cyrus(t, realserver.CyrusOptions{})
	for _, s := range []struct {
		server  *realserver.Server
		primary string // of u1, if the server has one
	}{{radicale, ""}, {cyrus, "/dav/addressbooks/user/u1/Default/"}} {
		t.Run(s.server.Name, func(t *testing.T) {
			o := options(s.server.AddressBooksURL("u1"), "u1")
			main := o
			main.Collection = sinks.Collection{ID: "main", Primary: true, Name: "Main"}
			paths := map[string]bool{}
			for range 2 {
				for _, o := range []Options{o, main} {
					sink, err := Open(t.Context(), o)
					if err != nil {
						t.Fatal(err)
					}
					paths[sink.AddressBook()] = true
					if o.Collection.Primary && s.primary != "" {
						if sink.AddressBook() != s.primary {
							t.Errorf("the main address book is %s", sink.AddressBook())
						}
					} else if got := bookName(t, sink); got != o.Collection.Name {
						t.Errorf("the address book is called %q, want %q", got, o.Collection.Name)
					}
					_ = sink.Close()
				}
			}
			if len(paths) != 2 {
				t.Errorf("the address books are %v", paths)
			}
			c, err := newClient(o)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			for path := range paths { // another run may have looked just before
				if err := c.make(t.Context(), path, o.Collection); err != nil {
					t.Errorf("an address book that is there: %v", err)
				}
			}
		})
	}
}

// bookName is what the server calls an address book.
func bookName(t *testing.T, s *Sink) string {
	t.Helper()
	const ask = `<propfind xmlns="DAV:"><prop><displayname/></prop></propfind>`
	answer, err := s.client.Do(t.Context(), "PROPFIND", s.AddressBook(), http.Header{"Depth": {"0"}, "Content-Type": {"application/xml"}}, []byte(ask))
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Name string `xml:"response>propstat>prop>displayname"`
	}
	if err := xml.Unmarshal(answer.Body, &read); err != nil {
		t.Fatalf("%v\n%s", err, answer.Body)
	}
	return read.Name
}

// TestPhotosOnRealServers stay as they are where there is room, and get smaller where the server takes no card as large: one says so before,
// the other by its refusal alone.
func TestPhotosOnRealServers(t *testing.T) {
	const most = 40_000
	original := picture(400, 300)
	whole, small := []string(nil), []string{LossPhotoSmaller}
	for _, c := range []struct {
		server *realserver.Server
		losses []string
	}{
		{realserver.Radicale(t, realserver.RadicaleOptions{}), whole}, {realserver.Radicale(t, realserver.RadicaleOptions{MaxObject: most}), small},
		{realserver.Cyrus(t, realserver.CyrusOptions{}), whole}, {realserver.Cyrus(t, realserver.CyrusOptions{MaxCard: most}), small},
	} {
		s, err := Open(t.Context(), options(c.server.AddressBooksURL("u1"), "u1"))
		if err != nil {
			t.Fatal(err)
		}
		it := card("3.0", "photo", 1)
		it.Content.Photo = sinks.Body{Version: "1", Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(original)), nil }}
		w, err := s.Put(t.Context(), it, sinks.Receipt{})
		var reasons []string
		for _, l := range w.Losses {
			reasons = append(reasons, l.Reason)
		}
		if err != nil || !slices.Equal(reasons, c.losses) {
			t.Fatalf("%s: %v, %v", c.server.Name, w.Losses, err)
		}
		stored := photoOn(t, s, w.Receipt.Location)
		img, _, err := image.DecodeConfig(bytes.NewReader(stored))
		if err != nil || bytes.Equal(stored, original) != (c.losses == nil) || c.losses != nil && (img.Width >= 400 || img.Width < 48) {
			t.Errorf("%s: a picture of %d bytes and %d pixels: %v", c.server.Name, len(stored), img.Width, err)
		}
		large := card("3.0", "large", 1) // without a picture to be left out
		large.Content.Data = bytes.Replace(large.Content.Data, []byte("\r\nNOTE:"), []byte("\r\nX-LARGE:"+strings.Repeat("x", most)+"\r\nNOTE:"), 1)
		_, err = s.Put(t.Context(), large, sinks.Receipt{})
		if f := fault.Of(err); (err == nil) != (c.losses == nil) || err != nil && (f.Reason != fault.TargetTooBig || f.Action != fault.FailItem) {
			t.Errorf("%s: a card of %d bytes: %v", c.server.Name, len(large.Content.Data), err)
		}
		_ = s.Close()
	}
}

// photoOn is the picture in a card on the server.
func photoOn(t *testing.T, s *Sink, href string) []byte {
	t.Helper()
	answer, err := s.client.Do(t.Context(), http.MethodGet, href, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := vcard.NewDecoder(bytes.NewReader(answer.Body)).Decode()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(stored.Value("PHOTO"))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
