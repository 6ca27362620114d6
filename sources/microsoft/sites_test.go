package microsoft

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
)

func librariesOf(t *testing.T, c *Client, sites ...string) (string, error) {
	t.Helper()
	var got []string
	for a, err := range c.Libraries(t.Context(), sites) {
		if err != nil {
			return strings.Join(got, ","), err
		}
		if !a.Shared || a.State != "active" {
			t.Errorf("got %+v", a)
		}
		got = append(got, a.ID+"="+a.Name)
	}
	return strings.Join(got, ","), nil
}

func TestLibrariesOfSites(t *testing.T) {
	var s *tenant
	s, c := newTenant(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/v1.0/sites/getAllSites" && r.URL.Query().Get("$skiptoken") == "":
			fmt.Fprintf(w, `{"@odata.nextLink":%q,"value":[{"id":"h,1,2","displayName":"School"},{"id":"p","isPersonalSite":true}]}`,
				s.URL+"/v1.0/sites/getAllSites?$skiptoken=x")
		case r.URL.Path == "/v1.0/sites/getAllSites":
			_, _ = io.WriteString(w, `{"value":[{"id":"h,3,4","displayName":"Town"}]}`)
		case r.URL.Path == "/v1.0/sites/contoso.test:/sites/town hall":
			_, _ = io.WriteString(w, `{"id":"h,3,4","displayName":"Town"}`)
		case r.URL.Path == "/v1.0/sites/contoso.test":
			_, _ = io.WriteString(w, `{"id":"h,1,2","displayName":"School"}`)
		case r.URL.EscapedPath() == "/v1.0/sites/h%2C1%2C2/drives":
			_, _ = io.WriteString(w, `{"value":[{"id":"b!1","name":"Documents"},{"id":"b!2","name":"Archive\u001b"}]}`)
		case r.URL.EscapedPath() == "/v1.0/sites/h%2C3%2C4/drives":
			_, _ = io.WriteString(w, `{"value":[{"id":"b!3","name":"Documents"}]}`)
		default:
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"error":{"code":"itemNotFound","message":"Requested site could not be found"}}`)
		}
	})
	for sites, want := range map[string]string{
		"": "b!1=School / Documents,b!2=School / Archive,b!3=Town / Documents",
		"https://contoso.test/sites/town%20hall/ https://contoso.test": "b!3=Town / Documents,b!1=School / Documents,b!2=School / Archive",
	} {
		if got, err := librariesOf(t, c, strings.Fields(sites)...); err != nil || got != want {
			t.Errorf("%s: got %s, %v", sites, got, err)
		}
	}
	for site, want := range map[string]string{"https://contoso.test/sites/none": "sites/none", "town": "town", "http://contoso.test": "contoso"} {
		_, err := librariesOf(t, c, site)
		if f := fault.Of(err); err == nil || f.Reason != fault.SourceGone || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", site, err)
		}
	}
}

func TestNameOfALibrary(t *testing.T) {
	for _, c := range []struct{ name, url, want string }{
		{"Documents", "https://contoso.test/sites/school/Shared%20Documents", "school / Documents"},
		{"Noten / alt", "https://contoso.test/teams/choir/songs/Notes", "choir / songs / Noten / alt"},
		{"Documents", "https://contoso.test/Shared%20Documents", "Documents"},
		{"", "https://contoso.test/sites/school/Shared%20Documents", "school / Shared Documents"},
		{" ", "https://contoso.test/sites", "sites"},
		{"Ar\x1bchive", "https://contoso.test/sites/a%1Bb/Archive", "a b / Ar chive"},
		{"Documents", "", "Documents"},
		{"", "", ""},
	} {
		_, client := newTenant(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/v1.0/drives/b!1" {
				t.Errorf("asked for %s", r.URL)
			}
			_ = json.NewEncoder(w).Encode(map[string]string{"name": c.name, "webUrl": c.url})
		})
		if got, err := LibraryName(t.Context(), client, "b!1"); err != nil || got != c.want {
			t.Errorf("%s: called %q, %v", c.url, got, err)
		}
	}
}
