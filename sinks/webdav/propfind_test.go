package webdav

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

const apacheAnswer = `<?xml version="1.0" encoding="utf-8"?>
<D:multistatus xmlns:D="DAV:" xmlns:ns1="http://owncloud.org/ns" xmlns:ns0="DAV:">
<D:response xmlns:lp1="DAV:" xmlns:lp2="http://apache.org/dav/props/" xmlns:g0="http://owncloud.org/ns">
<D:href>/dav/u1/wd/m%20x.txt</D:href>
<D:propstat><D:prop>
<lp1:resourcetype/>
<lp1:getlastmodified>Sun, 22 Nov 2026 13:33:13 GMT</lp1:getlastmodified>
<lp1:getcontentlength>5</lp1:getcontentlength>
<lp1:getetag>W/"5-660dd84dcdb4f"</lp1:getetag>
</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>
<D:propstat><D:prop><g0:checksums/><lp1:getcontentlength>99</lp1:getcontentlength></D:prop>
<D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>
</D:response>
</D:multistatus>
`

const nextcloudAnswer = `<?xml version="1.0"?>
<d:multistatus xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:response><d:href>https://cloud.example.org/remote.php/dav/files/u1/wd/</d:href><d:propstat><d:prop>` +
	`<d:resourcetype><d:collection/></d:resourcetype><d:getetag>&quot;6b02f00f338c0&quot;</d:getetag></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>` +
	`<d:response><d:href>/remote.php/dav/files/u1/wd/%c3%bc</d:href><d:propstat><d:prop><d:resourcetype/><d:getcontentlength>6</d:getcontentlength>` +
	`<oc:checksums><oc:checksum>SHA1:aaf4 MD5:5d41</oc:checksum></oc:checksums></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>` +
	`<d:response><d:href>/remote.php/dav/files/u1/wd/gone</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response></d:multistatus>`

func parseAll(r io.Reader) (all []resource, err error) {
	err = parseMultistatus(r, func(r resource) error {
		all = append(all, r)
		return nil
	})
	return all, err
}

func TestMultistatus(t *testing.T) {
	for _, c := range []struct {
		xml  string
		want []resource
	}{
		{apacheAnswer, []resource{
			{href: "/dav/u1/wd/m%20x.txt", size: 5, modified: time.Date(2026, 11, 22, 13, 33, 13, 0, time.UTC), etag: `W/"5-660dd84dcdb4f"`},
		}},
		{nextcloudAnswer, []resource{
			{href: "/remote.php/dav/files/u1/wd/", size: -1, collection: true, etag: `"6b02f00f338c0"`},
			{href: "/remote.php/dav/files/u1/wd/%c3%bc", size: 6, checksums: []string{"SHA1:aaf4 MD5:5d41"}},
			{href: "/remote.php/dav/files/u1/wd/gone", size: -1, missing: true},
		}},
	} {
		got, err := parseAll(iotest.OneByteReader(strings.NewReader(c.xml)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(resource{})); diff != "" {
			t.Error(diff)
		}
	}
}

func TestMultistatusThatIsNone(t *testing.T) {
	broken := errors.New("line cut")
	for name, c := range map[string]struct {
		r    io.Reader
		want error
	}{
		"empty":          {strings.NewReader(""), errBadXML},
		"cut":            {strings.NewReader(nextcloudAnswer[:len(nextcloudAnswer)-10]), errBadXML},
		"line cut":       {io.MultiReader(strings.NewReader(nextcloudAnswer[:300]), iotest.ErrReader(broken)), broken},
		"HTML":           {strings.NewReader("<html><body>no</body></html>"), errBadXML},
		"other element":  {strings.NewReader(`<multistatus xmlns="x"/>`), errBadXML},
		"no href":        {strings.NewReader(`<multistatus xmlns="DAV:"><response/></multistatus>`), errBadXML},
		"two roots":      {strings.NewReader(`<multistatus xmlns="DAV:"/><multistatus xmlns="DAV:"/>`), errBadXML},
		"crossed tags":   {strings.NewReader(`<multistatus xmlns="DAV:"><a></b></multistatus>`), errBadXML},
		"deep":           {strings.NewReader(`<multistatus xmlns="DAV:">` + strings.Repeat("<a>", 1000)), errBadXML},
		"long text":      {io.MultiReader(strings.NewReader(`<multistatus xmlns="DAV:"><response><href>`), endless{}), errBadXML},
		"long attribute": {io.MultiReader(strings.NewReader(`<multistatus xmlns="`), endless{}), errBadXML},
		"entity":         {strings.NewReader(`<!DOCTYPE x [<!ENTITY a "b">]><multistatus xmlns="DAV:"><response><href>&a;</href></response></multistatus>`), errBadXML},
	} {
		if _, err := parseAll(c.r); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// endless is a text that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

func TestCleanETag(t *testing.T) {
	for in, want := range map[string]string{
		`"a"`: `"a"`, `W/"a"`: `W/"a"`, `a`: `"a"`, ``: ``, `""`: ``, "\"a\r\nX: y\"": ``, `"a"b"`: ``, `W/`: ``, "\"a b\"": ``,
	} {
		if got := cleanETag(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func FuzzMultistatus(f *testing.F) {
	for _, s := range []string{apacheAnswer, nextcloudAnswer, "", "<", `<multistatus xmlns="DAV:"/>`, `<a:multistatus xmlns:a="DAV:"><a:response><a:href>x</a:href></a:response></a:multistatus>`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		all, err := parseAll(strings.NewReader(s))
		if err != nil && !errors.Is(err, errBadXML) {
			t.Errorf("%v is not classified", err)
		}
		for _, r := range all {
			if r.href == "" || strings.ContainsAny(r.etag, "\r\n") {
				t.Errorf("a resource %+v", r)
			}
		}
	})
}
