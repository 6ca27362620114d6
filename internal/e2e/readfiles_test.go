package e2e

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// multistatus is an answer to PROPFIND (RFC 4918 §14.16), as far as it is needed here.
type multistatus struct {
	Responses []struct {
		Href  string `xml:"href"`
		Props []struct {
			Prop struct {
				DisplayName  string `xml:"displayname"`
				CalendarData string `xml:"calendar-data"`
				Type         struct {
					Collection *struct{} `xml:"collection"`
					Calendar   *struct{} `xml:"calendar"`
				} `xml:"resourcetype"`
			} `xml:"prop"`
		} `xml:"propstat"`
	} `xml:"response"`
}

// dav sends a request as the user and demands its success.
func dav(tb testing.TB, user, method, target, depth, body string) []byte {
	tb.Helper()
	req, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		tb.Error(err)
		return nil
	}
	req.SetBasicAuth(user, password)
	req.Header.Set("Depth", depth)
	if body != "" {
		req.Header.Set("Content-Type", "application/xml; charset=utf-8")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		tb.Error(err)
		return nil
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode/100 != 2 {
		tb.Errorf("%s %s: HTTP %d, %v", method, req.URL.Path, resp.StatusCode, err)
	}
	return b
}

// readFiles returns the digest of each file beneath root, and "folder", by path.
func readFiles(tb testing.TB, root, user string) map[string]string {
	tb.Helper()
	const query = `<propfind xmlns="DAV:"><prop><resourcetype/></prop></propfind>`
	var listed multistatus
	if err := xml.Unmarshal(dav(tb, user, "PROPFIND", root, "infinity", query), &listed); err != nil {
		tb.Errorf("list %s: %v", root, err)
	}
	base, err := url.Parse(root)
	must(tb, err)
	out := make(map[string]string)
	var mu sync.Mutex
	var wg sync.WaitGroup
	places := make(chan struct{}, 4)
	for _, r := range listed.Responses {
		at, err := base.Parse(r.Href)
		must(tb, err)
		path := strings.Trim(strings.TrimPrefix(at.Path, base.Path), "/")
		folder := len(r.Props) > 0 && r.Props[0].Prop.Type.Collection != nil
		if path == "" {
			continue
		}
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			is := "folder"
			if !folder {
				is = digest(dav(tb, user, http.MethodGet, at.String(), "0", ""))
			}
			mu.Lock()
			defer mu.Unlock()
			if _, twice := out[path]; twice {
				tb.Errorf("%q is listed twice", path)
			}
			out[path] = is
		})
	}
	wg.Wait()
	return out
}
