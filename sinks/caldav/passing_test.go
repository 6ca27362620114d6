package caldav_test

import (
	"net/http"
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/embedded"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/caldav"
)

// lockedOnce answers the first MKCALENDAR with 423.
type lockedOnce struct{ struck bool }

func (l *lockedOnce) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != "MKCALENDAR" || l.struck {
		return http.DefaultTransport.RoundTrip(r)
	}
	l.struck = true
	return &http.Response{StatusCode: http.StatusLocked, Header: http.Header{}, Body: http.NoBody, Request: r}, r.Body.Close()
}

// A refusal that passes costs a new calendar none of its properties.
func TestCalendarAfterAPassingRefusal(t *testing.T) {
	s, err := embedded.StartCalendar(t.TempDir(), []embedded.User{{Name: "anna", Password: "secret"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	o := caldav.Options{URL: s.UserURL("anna"), User: "anna", Password: "secret", RoundTripper: &lockedOnce{},
		Collection: sinks.Collection{ID: "1", Name: "Second", Color: "#9FE1E7", Components: []string{"VEVENT"}}}
	if _, err := caldav.Open(t.Context(), o); err == nil || fault.Of(err).Action != fault.Retry {
		t.Fatalf("%v, want a fault to retry", err)
	}
	sink, err := caldav.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sink.Close() }()
	stored, err := s.Calendars("anna")
	if err != nil || len(stored) != 1 || stored[0].Color == "" || stored[0].DisplayName != "Second" {
		t.Errorf("%+v, %v", stored, err)
	}
}
