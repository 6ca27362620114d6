package carddav

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-vcard"

	"codeberg.org/repatriate/repatriate/internal/embedded"
	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/internal/dav/davtest"
	"codeberg.org/repatriate/repatriate/sinks/sinktest"
)

func startEmbedded(tb testing.TB) *embedded.Calendar {
	tb.Helper()
	server, err := embedded.StartCalendar(tb.TempDir(), []embedded.User{{Name: "u1", Password: "secret"}})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = server.Close() })
	return server
}

func TestEmbedded(t *testing.T) {
	server := startEmbedded(t)
	sinktest.Run(t, harness("3.0", func(testing.TB) Options { return options(server.UserAddressBookURL("u1"), "u1") }))
	t.Run("4.0", func(t *testing.T) {
		sinktest.Run(t, harness("4.0", func(testing.TB) Options { return options(server.UserAddressBookURL("u1"), "u1") }))
	})
}

func TestRadicale(t *testing.T) {
	server := realserver.Radicale(t, realserver.RadicaleOptions{})
	t.Run("suite", func(t *testing.T) {
		h := harness("3.0", func(testing.TB) Options { return options(server.AddressBooksURL("u1"), "u1") })
		h.Many = 60 // it takes some 25 in a second
		sinktest.Run(t, h)
	})
}

func TestCyrus(t *testing.T) {
	server := realserver.Cyrus(t, realserver.CyrusOptions{Accounts: realserver.Accounts{Count: 2}})
	user := server.User(1).User
	t.Run("suite", func(t *testing.T) {
		sinktest.Run(t, harness("3.0", func(testing.TB) Options { return options(server.AddressBooksURL(user), user) }))
	})
}

// options returns the options of an address book that no other test uses.
func options(home, user string) Options {
	return Options{URL: home, User: user, Password: "secret", Collection: sinks.Collection{ID: rand.Text(), Name: "Työ & <Work>", Description: "a]]>b"}}
}

func harness(version string, open func(testing.TB) Options) sinktest.Harness[sinks.Contact] {
	item := func(id string, i int) sinks.Item[sinks.Contact] { return card(version, id, i) }
	return sinktest.Harness[sinks.Contact]{
		Open: func(tb testing.TB) sinktest.Account[sinks.Contact] {
			o := open(tb)
			s, err := Open(tb.Context(), o)
			if err != nil {
				tb.Fatal(err)
			}
			w := witness{o: o, sink: s}
			return sinktest.Account[sinks.Contact]{Sink: s, Held: w.held, Edit: w.edit, Copy: w.copy}
		},
		Item: func(i int) sinks.Item[sinks.Contact] { return item(fmt.Sprintf("contact%d", i), i) },
		Digest: func(tb testing.TB, it sinks.Item[sinks.Contact]) string {
			return digestOf(tb, it.Content.Data, it.Content.Photo.Open != nil)
		},
		Changed: func(it sinks.Item[sinks.Contact]) sinks.Item[sinks.Contact] {
			it.Content.Data = bytes.Replace(it.Content.Data, []byte("NOTE:"), []byte("NOTE:changed "), 1)
			return it
		},
		Odd: []sinks.Item[sinks.Contact]{
			item("people/c1", 101), item("../../x", 102), item("a b/ü%2F\x00", 103), item(strings.Repeat("x", 3000), 104), item("UPPER", 105),
			item("upper", 106), item("", 107), item(".hidden", 108),
		},
	}
}

// card makes contact i, every other one with a picture.
func card(version, id string, i int) sinks.Item[sinks.Contact] {
	uid := fmt.Sprintf("repatriate-%x-%d", id, i)
	c := icalendar.New("VCARD")
	c.Add(icalendar.Raw("VERSION", version), icalendar.Text("UID", uid), icalendar.Text("FN", fmt.Sprintf("Ünïcode, %d; \\ Name", i)),
		icalendar.Structured("N", []string{"Name", "Ünïcode", "", "Dr.", ""}), icalendar.Text("NICKNAME", "a,b"), icalendar.Text("NICKNAME", "c"),
		icalendar.Text("EMAIL", fmt.Sprintf("u%d@example.org", i), icalendar.P("TYPE", "INTERNET"), icalendar.P("TYPE", "HOME")),
		icalendar.Text("TEL", "+49 30 1", icalendar.Param{Name: "TYPE", Values: []string{"WORK", "FAX"}}),
		icalendar.Structured("ADR", []string{"", "", "Straße 1\n2. Stock", "Berlin; Mitte", "", "10115", ""}, icalendar.P("TYPE", "HOME")),
		icalendar.Text("NOTE", strings.Repeat("déjà vu, ", 40)), icalendar.TextList("CATEGORIES", []string{"b,c", "a"}),
		icalendar.Raw("REV", "20240101T000000Z"))
	own := icalendar.Text("X-ABDATE", "2001-02-03")
	own.Group = "item1"
	label := icalendar.Text("X-ABLabel", "Jour fixe")
	label.Group = "item1"
	c.Add(own, label)
	out := sinks.Contact{UID: uid, Data: c.Bytes()}
	if i%2 == 0 {
		out.Photo = sinks.Body{Version: "1", Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(picture(8, 8))), nil }}
	}
	return sinks.Item[sinks.Contact]{ID: id, Content: out}
}

// picture is one that does not compress well.
func picture(w, h int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	x := uint32(1)
	for i := range w * h {
		x = x*1664525 + 1013904223
		img.Set(i%w, i/w, color.RGBA{uint8(x >> 24), uint8(x >> 16), uint8(x >> 8), 255})
	}
	var b bytes.Buffer
	_ = png.Encode(&b, img)
	return b.Bytes()
}

// digestOf names a card by what another library reads of it.
func digestOf(tb testing.TB, data []byte, photo bool) string {
	tb.Helper()
	c, err := vcard.NewDecoder(bytes.NewReader(data)).Decode()
	if err != nil {
		tb.Fatalf("%v in\n%s", err, data)
	}
	photo = photo || c.Get("PHOTO") != nil
	return fmt.Sprint(c.Value("UID"), " ", c.Value("FN"), " ", c.Value("NOTE"), " ", c.Value("EMAIL"), " ", c.Address() != nil && c.Address().PostalCode == "10115", photo)
}

// witness looks at the target past the sink, with another client.
type witness struct {
	o    Options
	sink *Sink
}

func (w witness) held(tb testing.TB) []string {
	tb.Helper()
	list := []string{}
	for o, err := range w.sink.store.Objects(context.Background()) {
		if err != nil {
			tb.Fatal(err)
		}
		body, _ := w.plain(tb, http.MethodGet, o.Receipt.Location, nil)
		list = append(list, digestOf(tb, body, false))
	}
	slices.Sort(list)
	return list
}

// edit changes a note, as the user would.
func (w witness) edit(tb testing.TB, at sinks.Receipt) {
	tb.Helper()
	w.client().Edit(tb, at.Location, "NOTE:", "NOTE:My own ")
}

// copy makes a copy of a contact, as the user would.
func (w witness) copy(tb testing.TB, at sinks.Receipt) {
	tb.Helper()
	w.client().Copy(tb, at.Location)
}

// plain sends one request without any of the sink's code.
func (w witness) plain(tb testing.TB, method, path string, body []byte) ([]byte, int) {
	tb.Helper()
	return w.client().Send(tb, method, path, body)
}

func (w witness) client() davtest.Client {
	return davtest.Client{Home: w.o.URL, User: w.o.User, Password: w.o.Password,
		Header: http.Header{"Content-Type": {"text/vcard"}, "Accept": {"text/vcard; version=4.0, text/vcard"}}}
}

// TestPhotoIsMadeSmaller where the server says that it takes no card as large, and where it only refuses.
func TestPhotoIsMadeSmaller(t *testing.T) {
	server := startEmbedded(t)
	server.LimitCards(40_000)
	s, err := Open(t.Context(), options(server.UserAddressBookURL("u1"), "u1"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for name, most := range map[string]int{"told": 40_000, "untold": 0} {
		s.book.most = most
		it := card("3.0", name, 1)
		original := picture(400, 300)
		it.Content.Photo = sinks.Body{Version: "1", Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(original)), nil }}
		w, err := s.Put(t.Context(), it, sinks.Receipt{})
		if err != nil || len(w.Losses) != 1 || w.Losses[0].Reason != LossPhotoSmaller {
			t.Fatalf("%s: %+v, %v", name, w, err)
		}
		stored, err := vcard.NewDecoder(bytes.NewReader(only(witness{o: options(server.UserAddressBookURL("u1"), "u1")}.plain(t, http.MethodGet, w.Receipt.Location, nil)))).Decode()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := base64.StdEncoding.DecodeString(stored.Value("PHOTO"))
		if err != nil {
			t.Fatal(err)
		}
		img, kind, err := image.Decode(bytes.NewReader(raw))
		if err != nil || kind != "jpeg" || img.Bounds().Dx() >= 400 || img.Bounds().Dx()*3 != img.Bounds().Dy()*4 && img.Bounds().Dx() < 50 {
			t.Errorf("%s: %s, %v, %v", name, kind, img.Bounds(), err)
		}
		if again, err := s.Put(t.Context(), it, w.Receipt); err != nil || !again.Unchanged || len(again.Losses) != 1 || again.Losses[0].Reason != LossPhotoSmaller {
			t.Errorf("%s: again: %+v, %v", name, again, err)
		}
	}
	it := card("3.0", "none", 1)
	it.Content.Photo = sinks.Body{Version: "1", Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("<html>no picture")), nil
	}}
	if w, err := s.Put(t.Context(), it, sinks.Receipt{}); err != nil || len(w.Losses) != 1 || w.Losses[0].Reason != LossPhotoLeft {
		t.Errorf("no picture: %+v, %v", w, err)
	}
}

func only(b []byte, _ int) []byte { return b }
