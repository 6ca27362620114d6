package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// patience is after how long a run counts as hanging.
var patience = 3 * time.Minute

// result is what came of one run of the program.
type result struct {
	exit   int // -1: killed
	report *report.Report
	stdout string
	stderr string
}

// process is a run under way.
type process struct {
	tb             testing.TB
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
	cancel         context.CancelFunc
	ended          func() // called when the process has ended; may be nil
}

// start starts the program in the job's folder.
func (w *world) start(args ...string) *process {
	w.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	p := &process{tb: w.tb, cmd: exec.CommandContext(ctx, binary, args...), cancel: cancel}
	p.cmd.Dir = w.dir
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	p.cmd.Env = append(os.Environ(), "GOTRACEBACK=all")
	must(w.tb, p.cmd.Start())
	return p
}

// wait returns what came of it, with its report.
func (p *process) wait() result {
	p.tb.Helper()
	r := p.end()
	if strings.HasPrefix(r.stdout, "{") {
		r.report = new(report.Report)
		p.read(r.stdout, r.report)
	}
	return r
}

// read reads what the program wrote as JSON.
func (p *process) read(stdout string, into any) {
	p.tb.Helper()
	d := json.NewDecoder(strings.NewReader(stdout))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		p.tb.Fatalf("the report is no JSON of the documented form: %v", err)
	}
}

// end returns what came of it once it has ended.
func (p *process) end() result {
	p.tb.Helper()
	defer p.cancel()
	err := p.cmd.Wait()
	if p.ended != nil {
		p.ended()
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.tb.Fatal(err)
	}
	return result{exit: p.cmd.ProcessState.ExitCode(), stdout: p.stdout.String(), stderr: p.stderr.String()}
}

// run runs a pass to its end, and demands the exit code and a balanced report.
func (w *world) run(exit int, args ...string) result {
	w.tb.Helper()
	r := w.start(append([]string{"run", w.job(), "--json"}, args...)...).wait()
	w.demand(r, exit)
	return r
}

func (w *world) demand(r result, exit int) {
	w.tb.Helper()
	if r.exit != exit {
		w.tb.Fatalf("exit code %d, want %d\n%s\n%s", r.exit, exit, w.start("status", w.job()).wait().stdout, r.stderr)
	}
	if r.report != nil {
		balanced(w.tb, r.report)
	}
	if problems := w.provider.Problems(); len(problems) > 0 {
		w.tb.Fatalf("the provider does not know: %q", problems)
	}
}

// balanced recounts the report.
func balanced(tb testing.TB, r *report.Report) {
	tb.Helper()
	var sum report.Counts
	for _, t := range r.Tasks {
		if n := decided(t.Counts) + t.Pending; n != t.Listed || !t.Balanced {
			tb.Errorf("%s of %s does not balance: %d listed, %d accounted for", t.Kind, t.Account, t.Listed, n)
		}
		sum.Listed += t.Listed
		sum.Bytes += t.Bytes
		sum.Copied += t.Copied
	}
	if sum.Listed != r.Totals.Listed || sum.Bytes != r.Totals.Bytes || sum.Copied != r.Totals.Copied || !r.Balanced {
		tb.Errorf("the totals are not those of the tasks: %+v", r.Totals)
	}
	if n := decided(r.Totals) + r.Totals.Pending; n != r.Totals.Listed {
		tb.Errorf("the totals do not balance: %+v", r.Totals)
	}
}

// settled demands of a pass over an unchanged account that it wrote nothing and took few requests: some for each task, but
// none for each item.
func settled(tb testing.TB, again, first result) {
	tb.Helper()
	p := *again.report.Pass
	if p.Written != 0 || p.Removed != 0 || p.Bytes != 0 {
		tb.Errorf("a pass over an unchanged account wrote %d and removed %d items", p.Written, p.Removed)
	}
	if again.report.Totals != first.report.Totals {
		tb.Errorf("the ledger was %+v and is %+v", first.report.Totals, again.report.Totals)
	}
	tasks := int64(len(first.report.Tasks))
	if most := 10 + 4*tasks; p.SourceRequests > most || p.TargetRequests > most {
		tb.Errorf("%d requests to the source and %d to the target, for %d tasks", p.SourceRequests, p.TargetRequests, tasks)
	}
	tb.Logf("%d tasks, %d requests to the source and %d to the target", tasks, p.SourceRequests, p.TargetRequests)
}

func decided(c report.Counts) int64 {
	return c.Copied + c.CopiedWithLosses + c.Skipped + c.Failed + c.Removed
}

// task returns the report's line of a task.
func (r result) task(tb testing.TB, account, kind string) report.Task {
	tb.Helper()
	for _, t := range r.report.Tasks {
		if t.Account == account && t.Kind == kind {
			return t
		}
	}
	tb.Fatalf("no %s of %s in the report", kind, account)
	return report.Task{}
}

// providerHook decides about a request to the provider by the name of its method.
type providerHook func(name string) (cloudsim.Fault, bool)

func (w *world) ask(_ *http.Request, name string) (cloudsim.Fault, bool) {
	if h := w.hook.Load(); h != nil {
		return (*h)(name)
	}
	return cloudsim.Fault{}, false
}

// setHook asks h from now on; nil ends that.
func (w *world) setHook(h providerHook) {
	if h == nil {
		w.hook.Store(nil)
		return
	}
	w.hook.Store(&h)
}
