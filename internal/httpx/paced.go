package httpx

import (
	"net/http"

	"codeberg.org/repatriate/repatriate/internal/pace"
)

// Paced reads the bodies of all answers at a pace.
func Paced(next http.RoundTripper, p *pace.Pace) http.RoundTripper {
	return RoundTrip(func(r *http.Request) (*http.Response, error) {
		res, err := next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		res.Body = limited{p.Reader(r.Context(), res.Body), res.Body}
		return res, nil
	})
}
