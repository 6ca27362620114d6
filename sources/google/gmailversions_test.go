package google

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/sources"
)

// relist lists all messages again, and tries each page as often as it fails; failed is how often that was.
func relist(t *testing.T, s sources.Source[sources.Message]) (versions map[string]string, failed int) {
	t.Helper()
	page, err := s.(sources.Relister[sources.Message]).Relist(t.Context())
	must(t, err)
	versions = map[string]string{}
	for !page.ListingDone {
		next, err := s.Changes(t.Context(), page.Next)
		if err != nil {
			if failed++; failed > 100 || errors.Is(err, sources.ErrCursorExpired) {
				t.Fatal(err)
			}
			continue
		}
		page = next
		for _, it := range page.Items {
			if !it.Stub || it.Deleted {
				t.Errorf("%+v is no stub", it)
			}
			versions[it.ID] = it.Version
		}
	}
	return versions, failed
}

// fetchedVersions are the versions that a first pass records.
func fetchedVersions(t *testing.T, s sources.Source[sources.Message], ids []string) map[string]string {
	t.Helper()
	versions := map[string]string{}
	for _, id := range ids {
		it, err := s.Fetch(t.Context(), id)
		must(t, err)
		it.Release()
		versions[id] = it.Version
	}
	return versions
}

// labelled fills alice's mailbox with seven messages that have labels of all sorts.
func labelled(t *testing.T) (*sim.Data, []string) {
	d := tenantData(t)
	all := mailbox(t, d, 7)
	must(t, d.Relabel(alice, all[1], []string{"UNREAD", "Old", "Other"}, nil))
	must(t, d.Relabel(alice, all[2], []string{"STARRED", "IMPORTANT"}, []string{"INBOX"}))
	must(t, d.Relabel(alice, all[3], nil, []string{"INBOX"}))
	must(t, d.Relabel(alice, all[4], []string{"Old", "CATEGORY_UPDATES"}, nil))
	return d, all
}

func TestMailListedAgainTellsWhatWasLabelled(t *testing.T) {
	d, all := labelled(t)
	c, server := simulated(t, d, sim.Options{PageSize: 3})
	s := Mail(c, alice, MailOptions{})
	before := fetchedVersions(t, s, all)
	server.ResetCounts()
	after, _ := relist(t, s)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("nothing was changed:\n%s", diff)
	}
	if n := server.Counts()["gmail.messages.get"]; n != 0 {
		t.Errorf("%d messages were read", n)
	}
	must(t, d.Relabel(alice, all[0], []string{"UNREAD"}, nil))
	must(t, d.Relabel(alice, all[2], []string{"INBOX"}, []string{"STARRED"}))
	must(t, d.Relabel(alice, all[4], nil, []string{"CATEGORY_UPDATES"}))
	after, _ = relist(t, s)
	if diff := cmp.Diff(fetchedVersions(t, s, all), after); diff != "" {
		t.Error(diff)
	}
	for i, id := range all {
		if changed := i == 0 || i == 2 || i == 4; changed != (before[id] != after[id]) {
			t.Errorf("message %d had the version %s and has %s", i, before[id], after[id])
		}
	}
}

// TestMailListedAgainInAnotherProcess: the cursor says that the labels are gathered first.
func TestMailListedAgainInAnotherProcess(t *testing.T) {
	d, all := labelled(t)
	c, _ := simulated(t, d, sim.Options{PageSize: 3})
	begun, err := Mail(c, alice, MailOptions{}).(sources.Relister[sources.Message]).Relist(t.Context())
	must(t, err)
	s := Mail(c, alice, MailOptions{})
	want := fetchedVersions(t, s, all)
	items, _ := pass(t, s, begun.Next)
	for _, it := range items {
		if it.Version != want[it.ID] {
			t.Errorf("%s: %q, want %q", it.ID, it.Version, want[it.ID])
		}
	}
	if len(items) != len(all) {
		t.Errorf("%d messages, want %d", len(items), len(all))
	}
}

// TestMailListedAgainInBadWeather: each request for the messages of a label fails at first, and the token of the inbox's third page is too old, so
// that its pages come twice.
func TestMailListedAgainInBadWeather(t *testing.T) {
	d, all := labelled(t)
	c, _ := simulated(t, d, sim.Options{PageSize: 1})
	asked, inbox := map[string]bool{}, 0
	next := c.base
	c.base = httpx.RoundTrip(func(r *http.Request) (*http.Response, error) {
		switch label := r.URL.Query().Get("labelIds"); {
		case label == "":
		case !asked[r.URL.String()]:
			asked[r.URL.String()] = true
			return refused(r, http.StatusServiceUnavailable), nil
		case label == "INBOX":
			if inbox++; inbox == 3 {
				return refused(r, http.StatusBadRequest), nil
			}
		}
		return next.RoundTrip(r)
	})
	s := Mail(c, alice, MailOptions{})
	want := fetchedVersions(t, s, all)
	got, failed := relist(t, s)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if failed < 10 || inbox < 6 {
		t.Errorf("%d requests failed; the inbox was asked for %d times", failed, inbox)
	}
}

// TestMailListedAgainWithALabelLess: a label may be gone by the time at which its messages are asked for.
func TestMailListedAgainWithALabelLess(t *testing.T) {
	d, all := labelled(t)
	c, _ := simulated(t, d, sim.Options{})
	next := c.base
	c.base = httpx.RoundTrip(func(r *http.Request) (*http.Response, error) {
		if r.URL.Query().Get("labelIds") == "STARRED" {
			return refused(r, http.StatusNotFound), nil
		}
		return next.RoundTrip(r)
	})
	s := Mail(c, alice, MailOptions{})
	want := fetchedVersions(t, s, all)
	got, _ := relist(t, s)
	if got[all[2]] == want[all[2]] {
		t.Errorf("%s is not known to have lost its star", all[2])
	}
	want[all[2]] = got[all[2]]
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func refused(r *http.Request, status int) *http.Response {
	body := fmt.Sprintf(`{"error":{"code":%d,"message":"no","errors":[{"reason":"invalid"}]}}`, status)
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}
