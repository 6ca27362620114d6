package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/internal/embedded"
	"codeberg.org/repatriate/repatriate/internal/simulation"
)

// TestTutorialGoogle follows docs/tutorial-google.md with the simulated organisation.
func TestTutorialGoogle(t *testing.T) {
	held, err := demoOrganisation()
	if err != nil {
		t.Fatal(err)
	}
	data, err := sim.Of(held)
	if err != nil {
		t.Fatal(err)
	}
	s := simulated(t, simulation.Options{Source: simulation.Google(data, sim.Options{}, "")})
	follow(t, "../../docs/tutorial-google.md", s, 17, func() {
		if err := liftDownloadQuota(data); err != nil {
			t.Fatal(err)
		}
	})
}

// TestTutorialMicrosoft follows docs/tutorial-microsoft.md with the simulated tenant.
func TestTutorialMicrosoft(t *testing.T) {
	held, err := demoOrganisation()
	if err != nil {
		t.Fatal(err)
	}
	data, err := microsoft.Of(held)
	if err != nil {
		t.Fatal(err)
	}
	s := simulated(t, simulation.Options{Source: simulation.Microsoft(data, microsoft.Options{}, 0)})
	follow(t, "../../docs/tutorial-microsoft.md", s, 16, func() { t.Error("nothing has to wait for the next day") })
}

// tutorial is one that is followed.
type tutorial struct {
	*simulation.Simulation
	dir, job string
	printed  string // by the commands of the last block
	commands int
}

// fences are the blocks of a tutorial, and the mark of what happens between them.
var fences = regexp.MustCompile("(?ms)^```(sh|text|csv|yaml)\n(.*?)^```$|^<!-- (the next day) -->$")

// follow runs the commands of a tutorial in their order, writes the files that it shows, and demands that what it shows of the output
// was printed. Commands of other programs are left out.
func follow(t *testing.T, path string, s *simulation.Simulation, atLeast int, nextDay func()) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f := &tutorial{Simulation: s, dir: t.TempDir()}
	for _, m := range fences.FindAllStringSubmatch(string(text), -1) {
		switch {
		case m[3] != "":
			nextDay()
		case m[1] == "sh":
			f.printed = ""
			for line := range strings.Lines(m[2]) {
				f.line(t, strings.TrimSpace(line))
			}
		case m[1] == "text":
			f.compare(t, m[2])
		case m[1] == "csv":
			f.write(t, "accounts.csv", m[2])
		}
	}
	if f.commands < atLeast {
		t.Errorf("%s: only %d commands were run", path, f.commands)
	}
}

var exitComment = regexp.MustCompile(`\s*# exit code (\d+)$`)

// line does what a line of a block says.
func (f *tutorial) line(t *testing.T, line string) {
	t.Helper()
	if dir, ok := strings.CutPrefix(line, "cd "); ok {
		f.dir = filepath.Join(f.dir, dir)
		f.prepare(t)
		return
	}
	code := exitOK
	if m := exitComment.FindStringSubmatch(line); m != nil {
		code, _ = strconv.Atoi(m[1]) // they are digits
		line = strings.TrimSuffix(line, m[0])
	}
	line, file, redirected := strings.Cut(line, " > ")
	args := strings.Fields(strings.ReplaceAll(line, "'", "")) // what is quoted has no blanks
	if len(args) == 0 || args[0] != "repatriate" {
		return
	}
	f.commands++
	p := startedWith(t, func(p *program) { p.Dir = f.dir }, args[1:]...)
	if got := p.code(t); got != code {
		t.Fatalf("%s: exit code %d, want %d\n%.3000s\n%.3000s", line, got, code, p.stdout.String(), p.stderr.String())
	}
	if redirected {
		f.write(t, file, p.stdout.String())
	}
	f.printed += p.stdout.String()
	if len(args) > 2 && args[1] == "init" && f.job == "" {
		f.job = args[2] + ".yaml"
	}
}

// compare looks for each line that the tutorial shows in what was printed.
func (f *tutorial) compare(t *testing.T, shown string) {
	t.Helper()
	printed := "\n" + f.printed
	for line := range strings.Lines(shown) {
		line = strings.TrimRight(line, "\n")
		if line != "" && line != "…" && !strings.Contains(printed, "\n"+line) {
			t.Errorf("the tutorial shows %q, which was not printed:\n%s", line, f.printed)
		}
	}
}

func (f *tutorial) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// prepare does what an administrator would do at the provider and on the target: the folder of the job gets the credentials, and the
// job file the simulation's addresses instead of those of the tutorial.
func (f *tutorial) prepare(t *testing.T) {
	t.Helper()
	from := filepath.Dir(f.Job)
	if err := os.Mkdir(filepath.Join(f.dir, "secrets"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, user := range f.Users() {
		copyFile(t, filepath.Join(from, "password-"+user), filepath.Join(f.dir, "secrets", user))
	}
	job := filepath.Join(f.dir, f.job)
	for _, credentials := range []string{"sa.json", "client-secret"} {
		if _, err := os.Stat(filepath.Join(from, credentials)); err == nil {
			copyFile(t, filepath.Join(from, credentials), filepath.Join(f.dir, credentials))
		}
	}
	redirect(t, job, f.Simulation, f.Targets)
}

// redirect has a job file of the documents lead to a simulated provider and to embedded servers. All else stays as it is.
func redirect(t *testing.T, job string, s *simulation.Simulation, targets *embedded.Targets) {
	t.Helper()
	simulated, err := os.ReadFile(s.Job)
	if err != nil {
		t.Fatal(err)
	}
	endpoint := regexp.MustCompile(`endpoint: ("[^"]+")`).FindStringSubmatch(string(simulated))[1]
	text, err := os.ReadFile(job)
	if err != nil {
		t.Fatal(err)
	}
	changed := string(text)
	for _, c := range []struct{ old, replacement string }{
		{`https://cloud\.example\.org/remote\.php/dav/files/\{user\}/`, targets.Files.URL},
		{`https://cloud\.example\.org/remote\.php/dav/calendars/\{user\}/`, targets.Calendar.URL},
		{`https://cloud\.example\.org/remote\.php/dav/addressbooks/users/\{user\}/`, targets.Calendar.AddressBookURL},
		{`imaps://mail\.example\.org(:993)?`, targets.Mail.URL},
		{`00000000-0000-0000-0000-000000000000`, microsoft.ClientID},
		// Quotas are not kept, since none are enforced. Sections are written as blocks or in one line.
		{`(?m)^  google:$`, "  google:\n    endpoint: " + endpoint + "\n    tier: unlimited"},
		{`\{google: \{`, "{google: {tier: unlimited, endpoint: " + endpoint + ", "},
		{`(?m)^    tier: (old|new).*$`, ""},
		{`(?m)^  microsoft:$`, "  microsoft:\n    unlimited: true\n    endpoint: " + endpoint + "\n    login: " + endpoint},
	} {
		changed = regexp.MustCompile(c.old).ReplaceAllString(changed, c.replacement)
	}
	if strings.Contains(changed, "cloud.example.org") {
		t.Fatalf("an address was not replaced:\n%s", changed)
	}
	if err := os.WriteFile(job, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
