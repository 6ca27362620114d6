// Package metrics tells Prometheus how a run gets on (prometheus.io/docs/practices/naming). No account, title or address is in it.
package metrics

import (
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/internal/meter"
)

// Run is what is measured. All of its functions may be called at any time.
type Run struct {
	// Job is the job's name, Version that of the program, and Started when the pass began.
	Job, Version string
	Started      time.Time
	Total        *engine.Counters
	// Kinds returns the counters of each kind that was begun.
	Kinds          func() map[string]*engine.Counters
	Source, Target *meter.Meter
	// Stopped counts the tasks that could not go on.
	Stopped func() int64
	// Accounts counts those that are running, those that have ended, and those of the pass.
	Accounts func() (running, ended, all int)
	// Held says why nothing is running; empty while something is.
	Held func() string
}

// Collector returns the run's metrics.
func (r Run) Collector() prometheus.Collector { return collector{r} }

type collector struct{ Run }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("repatriate_"+name, help, labels, nil)
}

// The metrics. docs/running.md lists them; a test holds the two together.
var (
	info      = desc("run_info", "The run: always 1, with the job's name and the program's version.", "migration", "version")
	started   = desc("pass_started_timestamp_seconds", "When the pass began, in seconds since 1970.")
	listed    = desc("pass_items_listed", "Items that the pass has seen so far.", "kind")
	done      = desc("pass_items_done", "Items of the pass that were decided or passed over so far.", "kind")
	items     = desc("items_total", "Items by what became of them in the pass; those that needed nothing are not counted.", "kind", "outcome")
	bytes     = desc("bytes_total", "Bytes of bodies that were read, attempts in vain included, and of those that lie on the target.", "direction")
	requests  = desc("requests_total", "Requests to the provider (source) and requests and commands to the servers (target).", "side")
	throttled = desc("throttled_seconds_total", "Time in which a quota or a server held the pass back.", "side", "scope")
	stopped   = desc("tasks_stopped_total", "Tasks that could not go on.")
	accounts  = desc("pass_accounts", "Accounts of the pass by state: running, ended, and still to begin.", "state")
	held      = desc("pass_waiting", "1 while the pass waits for a time window, 0 otherwise.")
)

// Describe implements prometheus.Collector.
func (collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{info, started, listed, done, items, bytes, requests, throttled, stopped, accounts, held} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(to chan<- prometheus.Metric) {
	metric := func(d *prometheus.Desc, t prometheus.ValueType, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, t, v, labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) { metric(d, prometheus.GaugeValue, v, labels...) }
	count := func(d *prometheus.Desc, v int64, labels ...string) {
		metric(d, prometheus.CounterValue, float64(v), labels...)
	}
	gauge(info, 1, c.Job, c.Version)
	gauge(started, float64(c.Started.UnixMilli())/1000)
	for kind, n := range c.Kinds() {
		gauge(listed, float64(n.Listed.Load()), kind)
		gauge(done, float64(n.Done.Load()), kind)
		for outcome, n := range map[string]*engine.Count{"written": &n.Written, "removed": &n.Removed, "failed": &n.Failed, "skipped": &n.Skipped} {
			count(items, n.Load(), kind, outcome)
		}
	}
	count(bytes, c.Total.Flowed.Load(), "read")
	count(bytes, c.Total.Bytes.Load(), "written")
	for side, m := range map[string]*meter.Meter{"source": c.Source, "target": c.Target} {
		count(requests, m.Requests(), side)
		for scope, d := range m.ByScope() {
			metric(throttled, prometheus.CounterValue, d.Seconds(), side, scope)
		}
	}
	count(stopped, c.Stopped())
	running, ended, all := c.Accounts()
	gauge(accounts, float64(running), "running")
	gauge(accounts, float64(ended), "ended")
	gauge(accounts, float64(max(0, all-running-ended)), "waiting")
	gauge(held, float64(min(1, len(c.Held()))))
}

// Handler answers GET /metrics, also with the program's own memory, processor time and goroutines, and nothing else.
func Handler(r Run) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(r.Collector(), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	return mux
}

// Serve serves the run's metrics on a listener until stop is called.
func Serve(l net.Listener, r Run) (stop func()) {
	srv := &http.Server{
		Handler: Handler(r), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(l) // ends with stop; a run does not fail for it
	}()
	return func() { _ = srv.Close(); <-done }
}
