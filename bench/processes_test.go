package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/internal/secret"
	"codeberg.org/repatriate/repatriate/sources/google"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// built is the binary under test, built once for all benchmarks.
var built struct {
	once sync.Once
	dir  string
	err  error
}

// binary returns the path of the repatriate binary of this tree.
func binary(tb testing.TB) string {
	tb.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "bench-bin"); built.err != nil {
			return
		}
		out, err := exec.Command("go", "build", "-o", built.dir, "codeberg.org/repatriate/repatriate/cmd/repatriate").CombinedOutput()
		if err != nil {
			built.err = fmt.Errorf("build: %w: %s", err, out)
		}
	})
	if built.err != nil {
		tb.Fatal(built.err)
	}
	return filepath.Join(built.dir, "repatriate")
}

// tempDir is a directory that servers which drop root may enter.
func tempDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		tb.Fatal(err)
	}
	return dir
}

// provider is a simulated Google Workspace in a process of its own.
type provider struct {
	dir string
	cmd *exec.Cmd
}

// startProvider runs "repatriate simulate" with the given flags. Its organisation has a single user unless flags say
// otherwise.
func startProvider(tb testing.TB, flags ...string) *provider {
	tb.Helper()
	p := &provider{dir: tempDir(tb)}
	target := "target: {files: {webdav: 'http://127.0.0.1:9/'}}\naccounts: none.csv\n"
	write(tb, p.dir, "target.yaml", target)
	write(tb, p.dir, "none.csv", "source,target\n")
	args := append([]string{"simulate", "--dir", p.dir, "--target", filepath.Join(p.dir, "target.yaml"), "--users", "1"}, flags...)
	p.cmd = exec.Command(binary(tb), args...)
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = p.cmd.Process.Signal(os.Interrupt)
		_ = p.cmd.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); !strings.HasPrefix(line, "ready ") {
		tb.Fatalf("the simulated provider said %q: %v", line, err)
	}
	return p
}

// client is one of the provider's process.
func (p *provider) client(tb testing.TB) *google.Client {
	tb.Helper()
	file := filepath.Join(p.dir, "job.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	job, err := config.Parse(file, text)
	if err != nil {
		tb.Fatal(err)
	}
	g := job.Source.Google
	key, err := secret.Resolve(tb.Context(), g.Credentials, p.dir)
	if err != nil {
		tb.Fatal(err)
	}
	client, err := google.New(context.Background(), google.Options{
		Credentials: []byte(key.Reveal()), Admin: g.Admin, Endpoint: g.Endpoint, Tier: "unlimited",
	})
	if err != nil {
		tb.Fatal(err)
	}
	return client
}

// cpu is what the provider's process has spent so far.
func (p *provider) cpu() time.Duration { return processCPU(p.cmd.Process.Pid) }

// job says where a migration goes.
type job struct {
	kind   string
	target string // the job file's section target, as one line of YAML
	user   string // the target account; its password is "secret"
	flags  []string
}

// outcome is what a migration did and cost.
type outcome struct {
	pass struct {
		Written, Bytes, Seconds        float64
		SourceRequests, TargetRequests float64
	}
	wall   time.Duration
	cpu    time.Duration
	memory int64 // peak resident bytes
}

// write writes a small file of the benchmark.
func write(tb testing.TB, dir, name, text string) {
	tb.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
}

// prepare writes a job of its own, with an empty state, that moves the provider's user.
func (p *provider) prepare(tb testing.TB, j job) (path string) {
	tb.Helper()
	dir := tempDir(tb)
	key, err := os.ReadFile(filepath.Join(p.dir, "sa.json"))
	if err != nil {
		tb.Fatal(err)
	}
	write(tb, dir, "sa.json", string(key))
	write(tb, dir, "password", "secret\n")
	write(tb, dir, "accounts.csv", "source,target,password,kinds\nuser0001@example.org,"+j.user+",file:password,"+j.kind+"\n")
	write(tb, dir, "job.yaml", fmt.Sprintf(`job: bench
source: {google: {credentials: "file:sa.json", admin: "user0001@example.org", endpoint: %q, tier: unlimited}}
target: %s
accounts: accounts.csv
%s
`, p.root(tb), j.target, concurrency()))
	return filepath.Join(dir, "job.yaml")
}

// concurrency is the job file's section of that name, if the environment asks for one.
func concurrency() string {
	if n := os.Getenv("BENCH_ITEMS"); n != "" {
		return "concurrency: {items: " + n + "}"
	}
	return ""
}

// root is the provider's endpoint, of which the key file tells.
func (p *provider) root(tb testing.TB) string {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, "sa.json"))
	if err != nil {
		tb.Fatal(err)
	}
	var key struct {
		TokenURI string `json:"token_uri"`
	}
	if err := json.Unmarshal(text, &key); err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSuffix(key.TokenURI, "token")
}

// migrate runs one pass to its end, which must be a good one.
func (p *provider) migrate(tb testing.TB, j job) outcome {
	tb.Helper()
	path := p.prepare(tb, j)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary(tb), append([]string{"run", path, "--json"}, j.flags...)...)
	cmd.Stderr = os.Stderr
	var out bytes.Buffer
	cmd.Stdout = &out
	start := time.Now()
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	peak := watchMemory(cmd.Process.Pid)
	err := cmd.Wait()
	o := outcome{wall: time.Since(start), memory: peak()}
	if err != nil {
		tb.Fatalf("migrate %s: %v\n%s", j.kind, err, out.String())
	}
	var report struct {
		Balanced bool
		Totals   struct{ Failed, Skipped float64 }
		Pass     struct {
			Written, Bytes, Seconds float64
			SourceRequests          float64 `json:"source_requests"`
			TargetRequests          float64 `json:"target_requests"`
		}
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		tb.Fatal(err)
	}
	if !report.Balanced || report.Totals.Failed+report.Totals.Skipped > 0 {
		tb.Fatalf("not a good pass: %s", out.String())
	}
	o.pass.Written, o.pass.Bytes, o.pass.Seconds = report.Pass.Written, report.Pass.Bytes, report.Pass.Seconds
	o.pass.SourceRequests, o.pass.TargetRequests = report.Pass.SourceRequests, report.Pass.TargetRequests
	o.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return o
}

// watchMemory looks at a process until it has ended; the returned function tells the largest resident memory that the
// kernel noted for it. The resource usage of a child does not serve: it begins with the memory of the process that forked.
func watchMemory(pid int) (peak func() int64) {
	result := make(chan int64)
	go func() {
		var most int64
		for {
			now, ok := highWater(pid)
			if !ok {
				result <- most
				return
			}
			most = max(most, now)
			time.Sleep(10 * time.Millisecond)
		}
	}()
	return func() int64 { return <-result }
}

// highWater is VmHWM of proc(5) status in bytes; not ok when the process has ended.
func highWater(pid int) (n int64, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, false
	}
	_, rest, found := strings.Cut(string(text), "VmHWM:")
	if !found {
		return 0, false
	}
	line, _, _ := strings.Cut(rest, "kB")
	n, err = strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	return n << 10, err == nil
}

// processCPU is what a process and its children that have ended spent.
func processCPU(pid int) time.Duration {
	fields := statFields(pid)
	if len(fields) < 15 {
		return 0
	}
	return ticks(fields[11:15])
}

// serverCPU is what a server that this process started has spent, with all its processes. Those that have ended are counted
// with the one that waited for them.
func serverCPU(server *realserver.Server) time.Duration {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0
	}
	spent := map[string]time.Duration{} // by process group
	group := ""
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		f := statFields(pid)
		if len(f) < 15 {
			continue
		}
		spent[f[2]] += ticks(f[11:15])
		args, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if f[1] == strconv.Itoa(os.Getpid()) && f[2] == e.Name() && bytes.Contains(args, []byte(server.Dir)) {
			group = f[2]
		}
	}
	return spent[group]
}

// statFields are those of proc(5) stat from the third, the state, on.
func statFields(pid int) []string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	return strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
}

func ticks(fields []string) time.Duration {
	var n int64
	for _, f := range fields {
		v, _ := strconv.ParseInt(f, 10, 64)
		n += v
	}
	return time.Duration(n) * time.Second / 100
}

// number reads a positive number from the environment.
func number(tb testing.TB, name string, fallback float64) float64 {
	tb.Helper()
	text := os.Getenv(name)
	if text == "" {
		return fallback
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || v <= 0 {
		tb.Fatal(errors.Join(fmt.Errorf("%s=%q is not a positive number", name, text), err))
	}
	return v
}

// items scales a number of items.
func items(tb testing.TB, n int) int { return max(1, int(float64(n)*number(tb, "BENCH_SCALE", 1))) }

// rounds is how often each figure is taken.
func rounds(tb testing.TB) int { return int(number(tb, "BENCH_ROUNDS", 3)) }
