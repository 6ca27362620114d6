package metrics_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/internal/meter"
	"codeberg.org/repatriate/repatriate/internal/metrics"
)

func someRun() metrics.Run {
	var total engine.Counters
	mail := total.Child()
	mail.Listed.Add(10)
	mail.Done.Add(6)
	mail.Written.Add(4)
	mail.Failed.Add(1)
	mail.Skipped.Add(1)
	mail.Flowed.Add(5000)
	mail.Bytes.Add(4000)
	source, target := new(meter.Meter), new(meter.Meter)
	source.Request(7)
	target.Request(9)
	source.Throttle("Gmail, per user", time.Now().Add(-time.Hour), 1500*time.Millisecond)
	return metrics.Run{
		Job: "pilot", Version: "1.2.3", Started: time.Unix(1_795_780_800, 500e6), Total: &total,
		Kinds:  func() map[string]*engine.Counters { return map[string]*engine.Counters{"mail": mail} },
		Source: source, Target: target, Stopped: func() int64 { return 2 },
		Accounts: func() (int, int, int) { return 3, 4, 10 }, Held: func() string { return "" },
	}
}

// served starts a server for a run and returns its address.
func served(t *testing.T, r metrics.Run) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(metrics.Serve(l, r))
	return "http://" + l.Addr().String()
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func TestMetrics(t *testing.T) {
	status, text := get(t, served(t, someRun())+"/metrics")
	if status != http.StatusOK {
		t.Fatalf("%d: %s", status, text)
	}
	for _, want := range []string{
		`repatriate_run_info{migration="pilot",version="1.2.3"} 1`, `repatriate_pass_started_timestamp_seconds 1.7957808005e+09`,
		`repatriate_pass_items_listed{kind="mail"} 10`, `repatriate_pass_items_done{kind="mail"} 6`,
		`repatriate_items_total{kind="mail",outcome="written"} 4`, `repatriate_items_total{kind="mail",outcome="failed"} 1`,
		`repatriate_items_total{kind="mail",outcome="skipped"} 1`, `repatriate_items_total{kind="mail",outcome="removed"} 0`,
		`repatriate_bytes_total{direction="read"} 5000`, `repatriate_bytes_total{direction="written"} 4000`,
		`repatriate_requests_total{side="source"} 7`, `repatriate_requests_total{side="target"} 9`,
		`repatriate_throttled_seconds_total{scope="Gmail, per user",side="source"} 1.5`, `repatriate_tasks_stopped_total 2`,
		`repatriate_pass_accounts{state="running"} 3`, `repatriate_pass_accounts{state="ended"} 4`, `repatriate_pass_accounts{state="waiting"} 3`,
		`repatriate_pass_waiting 0`, `go_goroutines `, `# TYPE repatriate_items_total counter`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if problems, err := promlint.New(strings.NewReader(text)).Lint(); err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v, %v", problems, err)
	}
	if problems, err := testutil.CollectAndLint(someRun().Collector()); err != nil || len(problems) > 0 {
		t.Errorf("promlint of the run: %v, %v", problems, err)
	}
}

func TestNothingElseIsServed(t *testing.T) {
	at := served(t, someRun())
	for _, path := range []string{"/", "/debug/pprof/", "/debug/vars", "/metrics/x"} {
		if status, _ := get(t, at+path); status != http.StatusNotFound {
			t.Errorf("%s answers %d", path, status)
		}
	}
	res, err := http.Post(at+"/metrics", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST answers %d", res.StatusCode)
	}
}

func TestStopEndsTheServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	metrics.Serve(l, someRun())()
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener is not closed: %v", err)
	}
}

// TestEveryMetricIsDocumented holds the table of docs/running.md and the metrics together, in both directions.
func TestEveryMetricIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/running.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(repatriate_[a-z_]+)[`{]").FindAllStringSubmatch(string(text), -1) {
		documented[m[1]] = true
	}
	_, answer := get(t, served(t, someRun())+"/metrics")
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (repatriate_[a-z_]+) `).FindAllStringSubmatch(answer, -1) {
		if !documented[m[1]] {
			t.Errorf("docs/running.md does not have %s", m[1])
		}
		delete(documented, m[1])
	}
	for name := range documented {
		t.Errorf("docs/running.md has %s, which is not served", name)
	}
}
