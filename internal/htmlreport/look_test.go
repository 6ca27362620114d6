package htmlreport_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// pageOf writes the HTML report of a ledger to a file.
func pageOf(t *testing.T, l ledger) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	writeHTML(t, l, l.job(people...), w)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// hostile is a sample in which every text is long or an attack.
func hostile() ledger {
	l := sample()
	long := strings.Repeat("Donaudampfschifffahrtsgesellschaft", 20)
	for _, text := range []string{evil, long, strings.Repeat("é ", 300), "\u202eabc\u2066", "<svg onload=alert(1)>", "{{.}}", "</script></style><h1>x"} {
		l[checkpoint.Task{Account: text, Kind: "files", Collection: text}] = &content{name: text, err: text, records: []checkpoint.Record{
			{ID: text, Title: text, State: checkpoint.Failed, Reason: text, Message: text, Link: "javascript:" + text},
			{ID: text + "2", Title: text, State: checkpoint.CopiedWithLosses, Location: text, Link: "https://example.org/" + text, Losses: []checkpoint.Loss{{Reason: "file.renamed", Detail: text}}},
		}}
	}
	return l
}

// foreign counts what no page has of its own: elements that a name made, and links that lead elsewhere than to the web.
const foreign = `document.querySelectorAll("img,iframe,object,embed,link,base,h1 ~ h1,[onload],[onerror],[onclick],svg:not(.bar > svg),script ~ script").length +
	[...document.links].filter(a => !/^https?:/.test(a.href)).length + (document.title.includes("owned") ? 1 : 0)`

// overflow is how much wider than the window the page is.
const overflow = `Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - innerWidth`

// TestPagesInABrowser: wide and narrow, light and dark, each page fits, names are text, and a dark page is dark.
func TestPagesInABrowser(t *testing.T) {
	b := openBrowser(t)
	l := hostile()
	dir := pagesFor(t, l, "fr")
	pages := map[string]string{"report": pageOf(t, l), "sample": pageOf(t, sample()), "empty": pageOf(t, ledger{}), "plan": planPageOf(t, hostilePlan()), "person": filepath.Join(dir, "ada@example.org.html")}
	strange, err := filepath.Glob(filepath.Join(dir, "_*.html"))
	if err != nil || len(strange) == 0 {
		t.Fatalf("no page of a hostile account: %v", err)
	}
	pages["hostile"] = strange[0]
	for name, path := range pages {
		for _, width := range []int{1600, 400} {
			for _, scheme := range []string{"light", "dark"} {
				b.window(width, scheme)
				b.open(path)
				b.ask(`document.querySelectorAll("details").forEach(d => d.open = true), true`, new(bool))
				if n := b.number(foreign); n != 0 {
					t.Errorf("%s: %v elements that are not the page's own", name, n)
				}
				if n := b.number(overflow); n > 0 {
					t.Errorf("%s at %d: %v pixels too wide", name, width, n)
				}
				dark := b.text(`getComputedStyle(document.documentElement).backgroundColor`) == "rgb(20, 23, 27)"
				if dark != (scheme == "dark") {
					t.Errorf("%s: scheme %s is dark: %t", name, scheme, dark)
				}
				b.shoot(fmt.Sprintf("%s-%d-%s", name, width, scheme))
			}
		}
	}
}

// typed sets a field of the search form as a person does, and waits for what the page makes of it.
func (b *browser) typed(id, value, event string) {
	b.t.Helper()
	b.ask(fmt.Sprintf(`new Promise(done => {
		const field = document.getElementById(%q);
		new MutationObserver((_, o) => { o.disconnect(); done(true); }).observe(document.getElementById("found"), {childList: true, characterData: true, subtree: true});
		field.value = %q;
		field.dispatchEvent(new Event(%q));
	})`, id, value, event), new(bool))
}

func TestSearchAndSort(t *testing.T) {
	b := openBrowser(t)
	b.window(1600, "light")
	b.open(pageOf(t, sample()))
	if b.text(`getComputedStyle(document.getElementById("find")).display`) == "none" {
		t.Fatal("there is no search form: the page's own script does not run")
	}
	visible := func(what string) float64 {
		return b.number(`[...document.querySelectorAll(%q)].filter(e => e.checkVisibility()).length`, what)
	}
	b.typed("q", "ADA projects/2024", "input")
	if n := visible("#results li"); n != 2 || b.text(`document.getElementById("found").value`) != "2 items" || visible("#items") != 0 {
		t.Errorf("%v items found: %s", n, b.text(`document.getElementById("results").textContent`))
	}
	b.typed("o", "failed", "change")
	if n := visible("#results li"); n != 0 {
		t.Errorf("%v of them failed", n)
	}
	b.typed("q", "", "input")
	if n := visible("#results li"); n != 1 || visible("#results img, #results a") != 0 {
		t.Errorf("%v items failed, and names became elements or links", n)
	}
	b.typed("o", "", "change")
	if visible("#items") != 1 || visible("#results") != 0 {
		t.Error("after the search, the groups do not come back")
	}
	first := func() string { return b.text(`document.querySelector("#accounts tbody th bdi").textContent`) }
	sort := func(column string) {
		b.ask(fmt.Sprintf(`[...document.querySelectorAll("#accounts thead th")].find(th => th.textContent == %q).click() ?? true`, column), new(bool))
	}
	if got := first(); got != "ada@example.org" {
		t.Errorf("the first of the worst is %s", got)
	}
	sort("Account")
	sort("Account")
	if got := first(); got != "zoe@example.org" {
		t.Errorf("the last by name is %s", got)
	}
	sort("listed")
	sort("listed")
	if got := first(); got != "ada@example.org" {
		t.Errorf("the largest is %s", got)
	}
}

// TestManyItemsInABrowser opens a report of a hundred thousand problem items and searches it.
func TestManyItemsInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 30 MB")
	}
	b := openBrowser(t)
	l := many(100_000)
	began := time.Now()
	path := pageOf(t, l)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("written in %v: %d MB", time.Since(began), info.Size()>>20)
	b.window(1600, "light")
	b.call("Performance.enable", map[string]any{"timeDomain": "threadTicks"}, nil)
	began = time.Now()
	b.open(path)
	b.number(`new Promise(done => requestAnimationFrame(() => setTimeout(() => done(1))))`)
	t.Logf("loaded and painted in %v, %s of the processor", time.Since(began), b.busy())
	if n := b.number(`document.querySelectorAll("#items li").length`); n != 100_000 {
		t.Errorf("%v items", n)
	}
	if n := b.number(`[...document.querySelectorAll("#items li")].filter(e => e.checkVisibility({contentVisibilityAuto: true})).length`); n != 0 {
		t.Errorf("%v items are laid out while their groups are closed", n)
	}
	began = time.Now()
	b.typed("q", "report 77777", "input")
	t.Logf("searched in %v", time.Since(began))
	if got := b.text(`document.getElementById("found").value`); got != "1 item" {
		t.Errorf("found %s", got)
	}
	b.typed("q", "report", "input")
	if got := b.text(`document.getElementById("found").value`); got != "100,000 items" || b.number(`document.querySelectorAll("#results li").length`) != 200 {
		t.Errorf("found %s", got)
	}
	b.ask(`document.querySelector("#results button").click() ?? true`, new(bool))
	if n := b.number(`document.querySelectorAll("#results li").length`); n != 400 {
		t.Errorf("%v items are shown after a click for more", n)
	}
	b.typed("q", "", "input")
	began = time.Now()
	b.ask(`document.querySelectorAll("#items details").forEach(d => d.open = true), true`, new(bool))
	b.number(`new Promise(done => requestAnimationFrame(() => setTimeout(() => done(1))))`)
	t.Logf("all groups opened in %v", time.Since(began))
	laid := b.number(`[...document.querySelectorAll("#items li")].filter(e => e.checkVisibility({contentVisibilityAuto: true})).length`)
	if laid == 0 || laid > 10_000 {
		t.Errorf("%v items are laid out at once", laid)
	}
}

// many is a ledger of n items with something to say of each, in a hundred accounts.
func many(n int) ledger {
	l := ledger{}
	reasons := []string{"file.renamed", "file.converted", "mail.label_as_keyword", "event.email_reminder", "target.quota", "source.no_export"}
	for i := range n {
		reason := reasons[i%len(reasons)]
		r := checkpoint.Record{ID: fmt.Sprintf("id-%08d", i), Title: fmt.Sprintf("Quarterly report %d, final version", i), Link: fmt.Sprintf("https://drive.example.com/file/d/%08d/view", i)}
		r.State, r.Reason, r.Message = checkpoint.Skipped, reason, "it cannot be exported"
		switch {
		case reason == "target.quota":
			r.State, r.Message = checkpoint.Failed, "PUT: HTTP 507 Insufficient Storage"
		case reason != "source.no_export":
			r.State, r.Reason, r.Message = checkpoint.CopiedWithLosses, "", ""
			r.Losses = []checkpoint.Loss{{Reason: reason, Detail: fmt.Sprintf("the label %d is now a keyword", i)}}
			r.Location = fmt.Sprintf("Projects/%d/report.docx", i%50)
		}
		t := checkpoint.Task{Account: fmt.Sprintf("user%03d@example.org", i%100), Kind: "files", Collection: "drive"}
		if l[t] == nil {
			l[t] = &content{name: "Drive"}
		}
		l[t].records = append(l[t].records, r)
	}
	return l
}
