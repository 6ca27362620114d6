package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	oauth "golang.org/x/oauth2/google"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
	"codeberg.org/repatriate/repatriate/sources"
	"codeberg.org/repatriate/repatriate/sources/google"
)

// simulated is a client of a simulated provider in this process, whose items are those of a provider in a process of its own.
func simulated(tb testing.TB, spec organisation.Spec) *google.Client {
	tb.Helper()
	provider := sim.New(sim.Generate(spec), sim.Options{})
	served := httptest.NewServer(provider)
	tb.Cleanup(served.Close)
	client, err := google.New(context.Background(), google.Options{
		Credentials: provider.KeyFile(served.URL + "/"), Admin: "user0001@example.org", Endpoint: served.URL + "/", Tier: "unlimited",
	})
	if err != nil {
		tb.Fatal(err)
	}
	return client
}

// contents are all that a source has.
func contents[T sources.Content](tb testing.TB, src sources.Source[T]) []T {
	tb.Helper()
	var list []T
	stubs := map[string]bool{}
	for cursor := sources.Cursor(""); ; {
		page, err := src.Changes(context.Background(), cursor)
		if err != nil {
			tb.Fatal(err)
		}
		for _, it := range page.Items {
			if it.Stub && !stubs[it.ID] {
				stubs[it.ID] = true // what lies on several pages is fetched once
				if it, err = src.Fetch(context.Background(), it.ID); err != nil {
					tb.Fatal(err)
				}
			}
			if !it.Deleted && !it.Stub {
				list = append(list, it.Content)
			}
		}
		if cursor = page.Next; !page.More {
			return list
		}
	}
}

// messages returns a function that downloads one message and throws it away: what a limit's loop does before each of its
// own to find out what it would reach if it had to fetch them, and did nothing else with them.
func (p *provider) messages(tb testing.TB) func(i int) error {
	tb.Helper()
	root := p.root(tb) + "gmail/v1/users/me/messages"
	return discarding(p.reading(tb, "https://www.googleapis.com/auth/gmail.readonly", root+"?maxResults=500", func(id string) string {
		return root + "/" + id + "?format=raw&fields=raw"
	}))
}

// files is messages for files.
func (p *provider) files(tb testing.TB) func(i int) error {
	tb.Helper()
	return discarding(p.openFiles(tb))
}

// discarding returns a function that reads what open opens to its end.
func discarding(open opener) func(i int) error {
	return func(i int) error {
		body, _, err := open(i)
		if err != nil {
			return err
		}
		defer body.Close()
		_, err = io.Copy(io.Discard, body)
		return err
	}
}

// opener opens the i-th item of the provider, over and over, and tells how many bytes it has if the provider says so.
type opener func(i int) (body io.ReadCloser, size int64, err error)

// openFiles returns an opener of files.
func (p *provider) openFiles(tb testing.TB) opener {
	tb.Helper()
	root := p.root(tb) + "drive/v3/files"
	list := root + "?corpora=user&pageSize=1000&fields=nextPageToken,files(id,mimeType)&q=" + url.QueryEscape("'me' in owners and trashed=false")
	return p.reading(tb, "https://www.googleapis.com/auth/drive.readonly", list, func(id string) string {
		return root + "/" + id + "?alt=media"
	})
}

// reading lists the ids of the provider's items and returns what opens them.
func (p *provider) reading(tb testing.TB, scope, list string, item func(id string) string) opener {
	tb.Helper()
	key, err := os.ReadFile(filepath.Join(p.dir, "sa.json"))
	if err != nil {
		tb.Fatal(err)
	}
	config, err := oauth.JWTConfigFromJSON(key, scope)
	if err != nil {
		tb.Fatal(err)
	}
	config.Subject = "user0001@example.org"
	client := config.Client(context.Background())
	ids := listed(tb, client, list)
	return func(i int) (io.ReadCloser, int64, error) {
		res, err := client.Get(item(ids[i%len(ids)]))
		if err != nil {
			return nil, 0, err
		}
		if res.StatusCode != http.StatusOK {
			return nil, 0, errors.Join(fmt.Errorf("download: %s", res.Status), res.Body.Close())
		}
		return res.Body, res.ContentLength, nil
	}
}

// listed returns the ids on all pages of a list, without folders.
func listed(tb testing.TB, client *http.Client, list string) []string {
	tb.Helper()
	var ids []string
	for token := ""; ; {
		var page struct {
			Messages      []struct{ ID string }
			Files         []struct{ ID, MimeType string }
			NextPageToken string
		}
		res, err := client.Get(list + "&pageToken=" + token)
		if err != nil {
			tb.Fatal(err)
		}
		err = json.NewDecoder(res.Body).Decode(&page)
		res.Body.Close()
		if err != nil {
			tb.Fatal(err)
		}
		for _, m := range page.Messages {
			ids = append(ids, m.ID)
		}
		for _, f := range page.Files {
			if f.MimeType != "application/vnd.google-apps.folder" {
				ids = append(ids, f.ID)
			}
		}
		if token = page.NextPageToken; token == "" {
			break
		}
	}
	if len(ids) == 0 {
		tb.Fatal("the provider lists nothing")
	}
	return ids
}
