package google_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"go.uber.org/goleak"
	"google.golang.org/api/googleapi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// faulty serves a file of 100,000 bytes with a fault in each download.
func faulty(t *testing.T, kind string) (*http.Response, error) {
	t.Helper()
	data := sim.NewData("example.org")
	if err := data.AddUser(sim.User{Email: ben}); err != nil {
		t.Fatal(err)
	}
	id, err := data.AddFile(ben, sim.File{Name: "f", Content: cloudsim.Generated(1, 100_000)})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := cloudsim.ParseFaults("drive.files.get:" + kind + ":1")
	if err != nil {
		t.Fatal(err)
	}
	s, h := start(t, data, sim.Options{Behaviour: cloudsim.Behaviour{Faults: plan, SlowPause: time.Millisecond}})
	return connect(t, s, h, ben).drive.Files.Get(id).Download()
}

func TestBodyFaults(t *testing.T) {
	r, err := cloudsim.Generated(1, 100_000).Open(0)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := io.ReadAll(r)
	for kind, test := range map[string]struct {
		size     int
		cut      bool
		changed  int
		declared int64
	}{
		"truncate": {50_000, true, 0, 100_000},
		"length":   {50_000, false, 0, 50_000},
		"corrupt":  {100_000, false, 1, 100_000},
		"slow":     {100_000, false, 0, 100_000},
	} {
		t.Run(kind, func(t *testing.T) {
			resp, err := faulty(t, kind)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			got, err := io.ReadAll(resp.Body)
			if errors.Is(err, io.ErrUnexpectedEOF) != test.cut || len(got) != test.size || resp.ContentLength != test.declared {
				t.Fatalf("%d bytes of %d, %v", len(got), resp.ContentLength, err)
			}
			changed := 0
			for i := range got {
				if got[i] != want[i] {
					changed++
				}
			}
			if changed != test.changed {
				t.Errorf("%d bytes changed, want %d", changed, test.changed)
			}
		})
	}
}

func TestAnswerFaults(t *testing.T) {
	_, err := faulty(t, "reset")
	var api *googleapi.Error
	if err == nil || errors.As(err, &api) {
		t.Errorf("a reset gave %v", err)
	}
	for kind, reason := range map[string]string{"429": "rateLimitExceeded", "500": "internalError", "503": "backendError", "401": "authError",
		"403:downloadQuotaExceeded": "downloadQuotaExceeded", "403": "userRateLimitExceeded"} {
		_, err := faulty(t, kind)
		var code int
		for _, digit := range kind[:3] {
			code = code*10 + int(digit-'0')
		}
		wantReason(t, err, code, reason)
	}
}

func TestFaultsAreRepeatable(t *testing.T) {
	run := func(seed uint64) []int {
		plan, err := cloudsim.ParseFaults("gmail.getProfile:503:0.3")
		if err != nil {
			t.Fatal(err)
		}
		plan.Seed = seed
		s, h := start(t, exampleData(t), sim.Options{Behaviour: cloudsim.Behaviour{Faults: plan}})
		c := connect(t, s, h, anna)
		var failed []int
		for i := range 60 {
			if _, err := c.gmail.Users.GetProfile("me").Do(); err != nil {
				failed = append(failed, i)
			}
		}
		return failed
	}
	first := run(1)
	if len(first) < 8 || len(first) > 30 {
		t.Errorf("%d of 60 requests failed at a chance of 0.3", len(first))
	}
	if again := run(1); !slices.Equal(first, again) {
		t.Errorf("the same seed: %v, then %v", first, again)
	}
	if other := run(2); slices.Equal(first, other) {
		t.Error("another seed gives the same faults")
	}
}

func TestHook(t *testing.T) {
	s, h := start(t, exampleData(t), sim.Options{Behaviour: cloudsim.Behaviour{Hook: func(r *http.Request, name string) (cloudsim.Fault, bool) {
		return cloudsim.Fault{Kind: "429", RetryAfter: 1500 * time.Millisecond}, name == "gmail.labels.list"
	}}})
	_, err := connect(t, s, h, anna).gmail.Users.Labels.List("me").Do()
	wantReason(t, err, 429, "rateLimitExceeded")
	var api *googleapi.Error
	if errors.As(err, &api) && api.Header.Get("Retry-After") != "2" {
		t.Errorf("Retry-After %q, want 2", api.Header.Get("Retry-After"))
	}
}

func TestParseFaultsRefuses(t *testing.T) {
	for _, spec := range []string{"x", "a:b:c", "*:503:2", "*:503:-1", "*:503:NaN", "*:418:1", "[:503:1", "a:403:b:c:1"} {
		if _, err := cloudsim.ParseFaults(spec); err == nil {
			t.Errorf("%q was accepted", spec)
		}
	}
	if _, err := cloudsim.ParseFaults(" *:503:0.5 , ,"); err != nil {
		t.Error(err)
	}
}

func TestQuotas(t *testing.T) {
	quotas := sim.NewQuotas()
	s, h := start(t, exampleData(t), sim.Options{Quotas: quotas})
	c := connect(t, s, h, anna)
	id := mustList(t, c)[0] // 5 units
	get := func() error {
		_, err := c.gmail.Users.Messages.Get("me", id).Format("minimal").Do()
		return err
	}
	for i := range (6000 - 5) / 20 {
		if err := get(); err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
	}
	wantReason(t, get(), 429, "rateLimitExceeded")
	if _, err := connect(t, s, h, ben).gmail.Users.GetProfile("me").Do(); err != nil {
		t.Errorf("another user is refused: %v", err)
	}
}

func TestQuotaOfCalendarAndProject(t *testing.T) {
	quotas := sim.Quotas{Calendar: sim.Limit{UserPerMinute: 2, ProjectPerMinute: 3}, Drive: sim.Limit{ProjectPerDay: 1}, RetryAfter: time.Second}
	s, h := start(t, exampleData(t), sim.Options{Quotas: quotas})
	colors := func(email string) error {
		_, err := connect(t, s, h, email).calendar.Colors.Get().Do()
		return err
	}
	for range 2 {
		if err := colors(anna); err != nil {
			t.Fatal(err)
		}
	}
	wantReason(t, colors(anna), 403, "userRateLimitExceeded")
	if err := colors(ben); err != nil {
		t.Fatal(err)
	}
	wantReason(t, colors(carla), 403, "rateLimitExceeded")
	c := connect(t, s, h, anna)
	if _, err := c.drive.Changes.GetStartPageToken().Do(); err != nil {
		t.Fatal(err)
	}
	_, err := c.drive.Changes.GetStartPageToken().Do()
	wantReason(t, err, 403, "dailyLimitExceeded")
}

func TestUnknownRequestsAreProblems(t *testing.T) {
	s := sim.New(exampleData(t), sim.Options{})
	defer s.Close()
	h := httptest.NewServer(s)
	defer h.Close()
	c := connect(t, s, h, anna)
	for path, want := range map[string]int{
		"/drive/v3/files?orderBy=name":                               400,
		"/drive/v3/files?pageSize=many":                              400,
		"/drive/v3/files?pageSize=1&pageSize=2":                      400,
		"/drive/v3/files?q=owner+is+me":                              400,
		"/drive/v3/files?fields=files(":                              400,
		"/drive/v3/files/generateIds":                                404,
		"/gmail/v1/users/me/threads":                                 404,
		"/gmail/v1/users/me/messages?q=from:x":                       400,
		"/calendar/v3/calendars/primary/events?singleEvents=true":    400,
		"/calendar/v3/calendars/primary/events?timeMin=2024-01-01":   400,
		"/admin/directory/v1/users?customer=my_customer&query=isX=1": 400,
	} {
		before := len(s.Problems())
		resp, err := c.http.Get(h.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != want || !strings.Contains(string(body), `"error":{"code":`) {
			t.Errorf("%s: %d %s, want %d", path, resp.StatusCode, body, want)
		}
		if len(s.Problems()) != before+1 && !strings.HasSuffix(path, "generateIds") {
			t.Errorf("%s was not reported", path)
		}
	}
}

func TestCounts(t *testing.T) {
	s, h := start(t, exampleData(t), sim.Options{})
	c := connect(t, s, h, anna)
	for range 3 {
		if _, err := c.gmail.Users.GetProfile("me").Do(); err != nil {
			t.Fatal(err)
		}
	}
	if counts := s.Counts(); counts["gmail.getProfile"] != 3 || counts["token"] == 0 || s.Requests() != 3+counts["token"] {
		t.Errorf("counts %v, %d requests", counts, s.Requests())
	}
	s.ResetCounts()
	if s.Requests() != 0 || len(s.Counts()) != 0 {
		t.Error("counts were not reset")
	}
}
