package exactlyonce

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/checkpoint/sqlite"
	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	"codeberg.org/repatriate/repatriate/internal/embedded"
	"codeberg.org/repatriate/repatriate/internal/faultnet"
)

// storm lets requests go wrong on both sides, each with the same chance. It is safe for concurrent use.
type storm struct {
	mu     sync.Mutex
	random *rand.Rand
	chance float64
	calm   bool
	// patience is how many refusals still may ask for a pause of a second, the shortest that HTTP knows, and throttles how many may
	// ask to slow down: each doubles the engine's pause and is no attempt in vain.
	patience, throttles int
	// slow is the provider's refusal that only some know: Google's 403, which is a lasting one at Microsoft.
	slow string
	// expired and full say that a token has expired already, and that the target was full once.
	expired, full bool
	struck        tally
}

// slowing are the answers that a provider or a server asks to slow down with.
var slowing = map[string]bool{"403": true, "429": true, "503": true}

// strikes says what strikes a request, if anything does.
func (s *storm) strikes(side string, kinds ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calm || s.random.Float64() >= s.chance {
		return ""
	}
	kind := kinds[s.random.IntN(len(kinds))]
	if strings.HasSuffix(kind, " and later") {
		if s.patience--; s.patience < 0 {
			kind = strings.TrimSuffix(kind, " and later")
		}
	}
	for once, was := range map[string]*bool{"401": &s.expired, "507": &s.full} {
		if kind == once && *was {
			kind = "503"
		} else if kind == once {
			*was = true
		}
	}
	if slowing[strings.TrimSuffix(kind, " and later")] {
		if s.throttles--; s.throttles < 0 {
			kind = "500"
		}
	}
	s.struck.add(side + " " + kind)
	return kind
}

func (s *storm) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calm = true
}

// provider is the storm at the provider: everything that it is known to answer, and what its network does.
func (s *storm) provider(_ *http.Request, name string) (cloudsim.Fault, bool) {
	if name == "token" {
		return cloudsim.Fault{}, false
	}
	kind := s.strikes(source, "429", "429 and later", "500", "503", s.slow, "401", "reset", "truncate")
	status, later := strings.CutSuffix(kind, " and later")
	f := cloudsim.Fault{Kind: status}
	if status == "403" {
		f.Reason = "rateLimitExceeded"
	}
	if later {
		f.RetryAfter = time.Second
	}
	return f, kind != ""
}

// stormyTripper is the storm before a target that speaks HTTP.
type stormyTripper struct {
	*storm
	next http.RoundTripper
	full bool // the storm may say that the target is full
}

func (s stormyTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	kinds := []string{"423", "500", "503", "500 although done", "reset", "answer lost"}
	if r.Method != "MKCALENDAR" && r.Method != "MKCOL" { // 429 is Nextcloud's limit of new collections by the hour, which parks the task
		kinds = append(kinds, "429", "429 and later")
	}
	if s.full {
		kinds = append(kinds, "507")
	}
	switch kind := s.strikes(target, kinds...); kind {
	case "":
		return s.next.RoundTrip(r)
	case "reset":
		return nil, dropped(r, io.ErrUnexpectedEOF)
	case "answer lost", "500 although done":
		res, err := s.next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		_ = res.Body.Close()
		if kind == "answer lost" {
			return nil, io.ErrUnexpectedEOF
		}
		return refusal(r, "500"), nil
	default:
		return refusal(r, kind), dropped(r, nil)
	}
}

// dropped ends a request's body, as a RoundTripper must, and returns the error.
func dropped(r *http.Request, err error) error {
	if r.Body != nil {
		_ = r.Body.Close()
	}
	return err
}

func refusal(r *http.Request, kind string) *http.Response {
	status, later := strings.CutSuffix(kind, " and later")
	code, _ := strconv.Atoi(status)
	res := &http.Response{StatusCode: code, Status: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: http.NoBody, Request: r}
	if later {
		res.Header.Set("Retry-After", "1")
	}
	return res
}

// mail is the storm in an IMAP server, and network that on the way to it.
func (s *storm) mail(string) error {
	if s.strikes(target, "NO UNAVAILABLE") != "" {
		return embedded.Unavailable()
	}
	return nil
}

func (s *storm) network(_ string, p faultnet.Passage, firstOfAnswer bool) faultnet.Verdict {
	if !p.Begins && !firstOfAnswer {
		return faultnet.Verdict{}
	}
	kinds := []string{"reset"}
	if firstOfAnswer {
		kinds = []string{"answer lost", "BYE"}
	}
	switch s.strikes(target, kinds...) {
	case "":
		return faultnet.Verdict{}
	case "BYE":
		return faultnet.Verdict{Action: faultnet.End, Instead: []byte("* BYE shutting down\r\n")}
	default:
		return faultnet.Verdict{Action: faultnet.Cut}
	}
}

// TestStorm lets one request in a hundred, in ten and in two go wrong on both sides. In the lighter storms everything arrives all the
// same. In the worst one a task may stop and an item may fail: each for a reason that has a name, with a ledger that balances. When
// the storm is over, one run and one retry bring everything to the end that it would have had.
func TestStorm(t *testing.T) {
	var struck tally
	for _, percent := range []int{1, 10, 50} {
		t.Run(fmt.Sprintf("%d %%", percent), func(t *testing.T) {
			scenes(t, func(t *testing.T, s scene) {
				if percent == 50 && !s.later && every(t) == sample {
					return // the worst storm takes its time, and each of its pauses counts in the default run
				}
				calm := s.calm(t)
				t.Run("storm", func(t *testing.T) {
					t.Parallel()
					s.weather(t, percent, calm, &struck)
				})
			})
		})
	}
	t.Log(&struck)
}

func (s scene) weather(t *testing.T, percent int, want calm, struck *tally) {
	t.Helper()
	storm := &storm{random: rand.New(rand.NewPCG(uint64(percent), uint64(len(t.Name())))), chance: float64(percent) / 100, patience: 1, throttles: 3, slow: "429", calm: true}
	w := s.set(t, cloudsim.Behaviour{Hook: storm.provider})
	if _, is := w.account.(*googleAccount); is {
		storm.slow = "403"
	}
	w.attempts = map[int]int{1: 12, 10: 12, 50: 5}[percent]
	w.dav = func(next http.RoundTripper) http.RoundTripper { return stormyTripper{storm, next, percent == 50} }
	if w.mail != nil {
		w.mail.SetFault(storm.mail)
		w.target.setSpoil(storm.network)
	}
	storm.calm = false
	o := w.run(t, point{}, false)
	storm.end()
	named(t, w)
	if percent < 50 && !o.complete() {
		t.Errorf("%v: %v\n%s", errNotComplete, o.err, w.troubles(t))
	}
	w.run(t, point{}, false)
	if o := w.run(t, point{}, true); !o.complete() {
		t.Errorf("a run and a retry after the storm: %v: %v\n%s", errNotComplete, o.err, w.troubles(t))
	}
	w.settled(t, want)
	for what, n := range storm.struck.counts {
		for range n {
			struck.add(what)
		}
	}
}

// aReason is how a fault names itself.
var aReason = regexp.MustCompile(`\((source|target)\.[a-z_]+\)|asked to come back`)

// named demands that the ledger balances, and that whatever did not arrive says why, or belongs to a task that says so.
func named(t *testing.T, w *world) {
	t.Helper()
	w.ledger(t)
	store := value(sqlite.OpenView(t.Context(), w.stateFile(), sqlite.Options{Job: "cuts"}))(t)
	defer func() { must(t, store.Close()) }()
	for _, s := range value(store.Tasks(t.Context()))(t) {
		if s.Error != "" && !aReason.MatchString(s.Error) {
			t.Errorf("%s stopped without a reason that has a name: %s", s.Collection, s.Error)
		}
		open := s.Counts[checkpoint.Pending] + s.Counts[checkpoint.Writing]
		if open > 0 && s.Error == "" {
			t.Errorf("%s is not at its end, and does not say why: %v", s.Collection, s.Counts)
		}
		for r, err := range store.Records(t.Context(), s.Task, checkpoint.Failed, checkpoint.Skipped) {
			must(t, err)
			if r.Reason == "" || r.Reason == "unknown" {
				t.Errorf("%s failed for the reason %q: %s", r.Title, r.Reason, r.Message)
			}
		}
	}
}
