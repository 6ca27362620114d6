package bench

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/oauth2/google"
)

// reading returns a function that downloads one message and throws it away: what a limit's loop does before each of its
// messages to find out what it would reach if it had to fetch them, and did nothing else with them.
func (p *provider) reading(tb testing.TB) func(connection, message int) error {
	tb.Helper()
	key, err := os.ReadFile(filepath.Join(p.dir, "sa.json"))
	if err != nil {
		tb.Fatal(err)
	}
	config, err := google.JWTConfigFromJSON(key, "https://www.googleapis.com/auth/gmail.readonly")
	if err != nil {
		tb.Fatal(err)
	}
	config.Subject = "user0001@example.org"
	client := config.Client(context.Background())
	root := p.root(tb)
	ids := p.messageIDs(tb, client, root)
	return func(_, message int) error {
		res, err := client.Get(root + "gmail/v1/users/me/messages/" + ids[message%len(ids)] + "?format=raw&fields=raw")
		if err != nil {
			return err
		}
		defer res.Body.Close()
		_, err = io.Copy(io.Discard, res.Body)
		return err
	}
}

func (p *provider) messageIDs(tb testing.TB, client *http.Client, root string) []string {
	tb.Helper()
	var ids []string
	for token := ""; ; {
		res, err := client.Get(root + "gmail/v1/users/me/messages?maxResults=500&pageToken=" + token)
		if err != nil {
			tb.Fatal(err)
		}
		var page struct {
			Messages      []struct{ ID string }
			NextPageToken string
		}
		err = json.NewDecoder(res.Body).Decode(&page)
		res.Body.Close()
		if err != nil {
			tb.Fatal(err)
		}
		for _, m := range page.Messages {
			ids = append(ids, m.ID)
		}
		if token = page.NextPageToken; token == "" {
			break
		}
	}
	if len(ids) == 0 {
		tb.Fatal("the provider lists no messages")
	}
	return ids
}
