package microsoft

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/microsoftgraph/msgraph-sdk-go/models/odataerrors"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/sources"
)

// apiError is an error answer of Graph in bounded form. It counts as sources.ErrGone where the status is 404 or 410.
type apiError struct {
	op      string // such as "Graph messages.get"
	status  int
	codes   []string // from the outermost to the innermost
	message string
	after   time.Duration
	// location is where a refused delta says to start again.
	location string
	// throttles says that the refusal is for the rate and holds for everybody in the scope.
	throttles bool
}

func (e *apiError) Error() string {
	s := fmt.Sprintf("%s: HTTP %d", e.op, e.status)
	if len(e.codes) > 0 {
		s += " " + strings.Join(e.codes, ", ")
	}
	if e.message != "" {
		s += ": " + e.message
	}
	return s
}

func (e *apiError) Is(target error) bool {
	return target == sources.ErrGone && (e.status == http.StatusNotFound || e.status == http.StatusGone)
}

// hasCode reports whether err is an answer of Graph that holds one of the codes, such as "itemNotFound".
func hasCode(err error, codes ...string) bool {
	var e *apiError
	return errors.As(err, &e) && e.has(codes)
}

func (e *apiError) has(codes []string) bool {
	return slices.ContainsFunc(e.codes, func(c string) bool {
		return slices.ContainsFunc(codes, func(want string) bool { return strings.EqualFold(c, want) })
	})
}

// statusOf returns the HTTP status of the *apiError in err's chain, and zero if there is none.
func statusOf(err error) int {
	var e *apiError
	if errors.As(err, &e) {
		return e.status
	}
	return 0
}

// maxCodes bounds how deep the inner errors of an answer are followed.
const maxCodes = 6

// readError reads an error answer and closes its body.
func readError(op string, res *http.Response) *apiError {
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		raw = nil // the status alone says enough
	}
	return newError(op, res.StatusCode, res.Header, raw)
}

// newError reads the body of an error answer with the official models.
func newError(op string, status int, header http.Header, body []byte) *apiError {
	e := &apiError{op: op, status: status, after: httpx.RetryAfter(header, time.Now()), location: header.Get("Location")}
	model, err := parseModel(body, odataerrors.CreateODataErrorFromDiscriminatorValue)
	if err != nil {
		return e
	}
	main := model.(odataerrors.ODataErrorable).GetErrorEscaped()
	if main == nil {
		return e
	}
	e.message = httpx.OneLine(value(main.GetMessage()))
	e.add(value(main.GetCode()))
	if inner := main.GetInnerError(); inner != nil {
		e.addInner(inner.GetAdditionalData())
	}
	return e
}

func (e *apiError) add(code string) {
	if code = httpx.OneLine(code); code != "" && len(e.codes) < maxCodes {
		e.codes = append(e.codes, code)
	}
}

// addInner follows the inner errors, which Graph nests as deep as it likes.
func (e *apiError) addInner(data map[string]any) {
	for range maxCodes {
		switch code := data["code"].(type) {
		case string:
			e.add(code)
		case *string:
			e.add(value(code))
		}
		raw, err := json.Marshal(data["innerError"])
		data = nil
		if err != nil || decodeJSON(raw, &data) != nil || data == nil {
			return
		}
	}
}

// value returns what p points to, and the zero value for nil.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

func asFault(err error) (*fault.Error, bool) {
	var f *fault.Error
	ok := errors.As(err, &f)
	return f, ok
}

// fail returns err as the context's error or with a fault.Error.
func (c *Client) fail(ctx context.Context, k call, err error) error {
	var parked *httpx.ParkedError
	var answer *apiError
	f, known := asFault(err)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", k.method, ctx.Err())
	case errors.As(err, &parked):
		return fault.New(fault.FailTask, fault.SourceDailyLimit, "%s: %w", k.method, err).
			WithAfter(time.Until(parked.Until)).WithHint(hintDay)
	case known:
		return f
	case errors.As(err, &answer):
		return classify(k.method, answer)
	}
	return transportFault(k.method, err)
}

// transportFault is the meaning of an error that is no answer of Graph's.
func transportFault(m method, err error) *fault.Error {
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	reason := fault.SourceUnavailable
	if why, do, ok := httpx.TLSTrouble(err, ""); ok {
		return fault.New(fault.FailTask, reason, "%s: %s", m, why).WithHint(do)
	}
	cut := errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &syntax) && strings.Contains(syntax.Error(), "unexpected end")
	if !cut && (errors.As(err, &syntax) || errors.As(err, &mismatch) || errors.Is(err, httpx.ErrTooLong) || errors.Is(err, errForeign)) {
		reason = fault.SourceBadAnswer
	}
	return fault.New(fault.Retry, reason, "%s: %w", m, httpx.Redact(err))
}

// classify returns the meaning of an error answer.
func classify(m method, e *apiError) *fault.Error {
	f := fault.Error{Action: fault.Retry, Reason: fault.Unknown}
	if e.status >= 500 {
		f.Reason = fault.SourceUnavailable
	}
	if i := slices.IndexFunc(rules, func(r rule) bool { return r.matches(e) }); i >= 0 {
		f = rules[i].fault
	}
	f.Err, f.After = e, max(f.After, e.after)
	if f.Hint == hintPermission {
		f.Hint = fmt.Sprintf(hintPermission, m.permission)
	}
	// A 503 that names a pause speaks for the service, not for this request.
	e.throttles = f.Reason == fault.SourceThrottled || f.Reason == fault.SourceUnavailable && e.after > 0
	return &f
}
