package htmlreport_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/realserver"
)

// browser is a real Chromium without a window. It is spoken to over pipes, in messages of the DevTools protocol that end
// with a zero byte.
type browser struct {
	t       *testing.T
	to      *os.File
	answers *bufio.Reader
	session string
	last    int
	loaded  int // pages that were loaded
}

// openBrowser starts Chromium; it ends with the test. Where there is none the test is skipped, but not in CI.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("Chromium is missing: scripts/install-test-deps.sh installs it")
		}
		t.Skip("Chromium is missing: scripts/install-test-deps.sh installs it")
	}
	theirs, to := pipe(t)
	from, answer := pipe(t)
	// Not the test's own context: that ends before the cleanup, and would kill the browser while its children still write.
	ctx, cancel := context.WithTimeout(context.Background(), lifetime)
	c := exec.CommandContext(ctx, path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--user-data-dir="+t.TempDir(), "--remote-debugging-pipe")
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.ExtraFiles = []*os.File{theirs, answer} // its descriptors 3 and 4
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	answer.Close()
	b := &browser{t: t, to: to, answers: bufio.NewReaderSize(from, 1<<20)}
	t.Cleanup(func() {
		b.session = ""
		b.send("Browser.close", nil)
		to.Close()
		_ = c.Wait()
		cancel()
		if err := realserver.EndGroup(c.Process.Pid); err != nil { // the folder is removed after that
			t.Error(err)
		}
		from.Close()
	})
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	b.call("Page.enable", nil, nil)
	return b
}

// lifetime is how long a browser may live at the most.
const lifetime = 5 * time.Minute

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return r, w
}

func (b *browser) send(method string, params map[string]any) {
	b.last++
	message := map[string]any{"id": b.last, "method": method}
	if params != nil {
		message["params"] = params
	}
	if b.session != "" {
		message["sessionId"] = b.session
	}
	text, err := json.Marshal(message)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.to.Write(append(text, 0)); err != nil {
		b.t.Errorf("%s: %v", method, err)
	}
}

// message is an answer or an event.
type message struct {
	ID     int
	Method string
	Result json.RawMessage
	Error  *struct{ Message string }
}

func (b *browser) next() (m message) {
	text, err := b.answers.ReadBytes(0)
	if err != nil {
		b.t.Fatalf("Chromium: %v", err)
	}
	if err := json.Unmarshal(text[:len(text)-1], &m); err != nil {
		b.t.Fatalf("Chromium: %v in %.200s", err, text)
	}
	if m.Method == "Page.loadEventFired" {
		b.loaded++
	}
	return m
}

// call calls a method and decodes what it returns.
func (b *browser) call(method string, params map[string]any, result any) {
	b.t.Helper()
	b.send(method, params)
	for {
		m := b.next()
		switch {
		case m.ID != b.last:
			continue
		case m.Error != nil:
			b.t.Fatalf("%s: %s", method, m.Error.Message)
		case result != nil:
			if err := json.Unmarshal(m.Result, result); err != nil {
				b.t.Fatalf("%s: %v", method, err)
			}
		}
		return
	}
}

// window sets how wide the page is shown, and in which of the two schemes.
func (b *browser) window(width int, scheme string) {
	b.t.Helper()
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}, nil)
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]any{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

// open loads a file, and waits until it is loaded whole.
func (b *browser) open(path string) {
	b.t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		b.t.Fatal(err)
	}
	before := b.loaded
	var failed struct{ ErrorText string }
	b.call("Page.navigate", map[string]any{"url": "file://" + abs}, &failed)
	if failed.ErrorText != "" {
		b.t.Fatalf("%s: %s", path, failed.ErrorText)
	}
	for b.loaded == before {
		b.next()
	}
}

// ask evaluates an expression in the page, after what it promises, and decodes its value.
func (b *browser) ask(expression string, value any) {
	b.t.Helper()
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct{ Exception struct{ Description string } }
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &r)
	if r.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, r.ExceptionDetails.Exception.Description)
	}
	if err := json.Unmarshal(r.Result.Value, value); err != nil {
		b.t.Fatalf("%s: %v in %s", expression, err, r.Result.Value)
	}
}

func (b *browser) number(format string, args ...any) (n float64) {
	b.t.Helper()
	b.ask(fmt.Sprintf(format, args...), &n)
	return n
}

func (b *browser) text(format string, args ...any) (s string) {
	b.t.Helper()
	b.ask(fmt.Sprintf(format, args...), &s)
	return s
}

// busy says how long the page has kept the processor busy, which does not depend on what else the machine does.
func (b *browser) busy() string {
	b.t.Helper()
	var r struct {
		Metrics []struct {
			Name  string
			Value float64
		}
	}
	b.call("Performance.getMetrics", nil, &r)
	var out []string
	for _, m := range r.Metrics {
		if m.Name == "TaskDuration" || m.Name == "LayoutDuration" || m.Name == "RecalcStyleDuration" {
			out = append(out, fmt.Sprintf("%s %.2f s", m.Name, m.Value))
		}
	}
	return strings.Join(out, ", ")
}

// shoot takes a picture of the whole page if REPATRIATE_SCREENSHOTS names a folder for it, for people to look at.
func (b *browser) shoot(name string) {
	b.t.Helper()
	dir := os.Getenv("REPATRIATE_SCREENSHOTS")
	if dir == "" {
		return
	}
	var shot struct{ Data string }
	b.call("Page.captureScreenshot", map[string]any{"captureBeyondViewport": true, "clip": map[string]any{
		"x": 0, "y": 0, "scale": 1, "width": b.number("innerWidth"), "height": min(b.number("document.documentElement.scrollHeight"), 6000),
	}}, &shot)
	picture, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600); err != nil {
		b.t.Fatal(err)
	}
}
