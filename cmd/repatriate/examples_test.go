package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/embedded"
	"codeberg.org/repatriate/repatriate/internal/simulation"
)

// example is a job file of examples/, copied into a folder of its own with the accounts file and made to lead to a simulated provider and
// embedded servers. All else stays as it is.
type example struct {
	*simulation.Simulation
	targets  *embedded.Targets
	dir, job string
	env      []string
}

// examplePassword is that of an account on the embedded servers.
func examplePassword(user string) string { return "password of " + user }

// exampled copies an example and starts what it leads to. The users are those of the target.
func exampled(t *testing.T, path string, source *simulation.Source, users []string) *example {
	t.Helper()
	provider := simulated(t, simulation.Options{
		Source: source, Target: "target: {mail: {imap: \"imap://127.0.0.1:1\"}}\n", Accounts: "source,target,password\n",
	})
	e := &example{Simulation: provider, dir: t.TempDir()}
	var accounts []embedded.User
	for _, u := range users {
		accounts = append(accounts, embedded.User{Name: u, Password: examplePassword(u)})
	}
	var err error
	if e.targets, err = embedded.Start(t.TempDir(), accounts); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.targets.Close(); err != nil {
			t.Error(err)
		}
	})
	from := filepath.Dir(provider.Job)
	e.job = filepath.Join(e.dir, filepath.Base(path))
	copyFile(t, path, e.job)
	copyFile(t, filepath.Join(filepath.Dir(path), "accounts.csv"), filepath.Join(e.dir, "accounts.csv"))
	for _, credentials := range []string{"sa.json", "client-secret"} {
		if _, err := os.Stat(filepath.Join(from, credentials)); err == nil {
			copyFile(t, filepath.Join(from, credentials), filepath.Join(e.dir, credentials))
		}
	}
	e.secrets(t, users)
	redirect(t, e.job, provider, e.targets)
	return e
}

// secrets makes the files and variables that the examples name.
func (e *example) secrets(t *testing.T, users []string) {
	t.Helper()
	dir := filepath.Join(e.dir, "secrets")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, u := range users {
		if err := os.WriteFile(filepath.Join(dir, u), []byte(examplePassword(u)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "dovecot-master"), []byte(embedded.Master.Password), 0o600); err != nil {
		t.Fatal(err)
	}
	e.env = []string{"DOVECOT_MASTER_PASSWORD=" + embedded.Master.Password, "GRACE_PASSWORD=" + examplePassword("grace.h")}
	edits := strings.NewReplacer("user: migration", "user: "+embedded.Master.Name,
		"cmd:pass show migration/service-account", "file:sa.json", // there is no password store here
		"certificate: file:app.pem", "secret: file:client-secret", // the simulated tenant knows a secret only
		"tenant: example.onmicrosoft.com", "tenant: example.org")
	text, err := os.ReadFile(e.job)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(e.job, []byte(edits.Replace(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
}

// ran runs a command in the example's folder.
func (e *example) ran(t *testing.T, code int, args ...string) *program {
	t.Helper()
	p := startedWith(t, func(p *program) { p.Dir = e.dir; p.Env = append(p.Env, e.env...) }, args...)
	if got := p.code(t); got != code {
		t.Fatalf("repatriate %q: exit code %d, want %d\nstdout: %.3000s\nstderr: %.3000s", args, got, code, p.stdout.String(), p.stderr.String())
	}
	return p
}

// whole checks the example, runs it twice and reads the target back: it works, and the second pass moves nothing.
func (e *example) whole(t *testing.T) {
	t.Helper()
	job := filepath.Base(e.job)
	e.ran(t, exitOK, "accounts", "check", job)
	e.ran(t, exitOK, "check", job)
	if first := e.ran(t, exitOK, "run", job).stdout.String(); !strings.Contains(first, "The ledger balances: ") ||
		strings.Contains(first, "This pass wrote 0 items") {
		t.Errorf("the first pass: %.4000s", first)
	}
	if again := e.ran(t, exitOK, "run", job).stdout.String(); !strings.Contains(again, "This pass wrote 0 items") {
		t.Errorf("the second pass: %.4000s", again)
	}
	if verified := e.ran(t, exitOK, "verify", job).stdout.String(); !strings.Contains(verified, "Proven: all that the job wrote lies on the target") {
		t.Errorf("verify: %.4000s", verified)
	}
}

// targetsOf are the names on the target in an example's accounts file.
func targetsOf(t *testing.T, path string) []string {
	t.Helper()
	job, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	var users []string
	for _, p := range job.People {
		users = append(users, p.Target)
	}
	return users
}

// googleDemo is the demo organisation at Google; no file of it is refused.
func googleDemo(t *testing.T) *simulation.Source {
	t.Helper()
	held, err := demoOrganisation()
	if err != nil {
		t.Fatal(err)
	}
	source, err := demoSources["google"].start(held)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// tenantHolding is an organisation at Microsoft.
func tenantHolding(t *testing.T, held *organisation.Organisation) *simulation.Source {
	t.Helper()
	data, err := microsoft.Of(held)
	if err != nil {
		t.Fatal(err)
	}
	return simulation.Microsoft(data, microsoft.Options{}, 0)
}

// peopled makes up an organisation of users with little content, called as the examples call them.
func peopled(t *testing.T, users ...organisation.User) *organisation.Organisation {
	t.Helper()
	held := organisation.Generate(organisation.Spec{Users: len(users), Mail: 2, Files: 2, Events: 1, Contacts: 1, Tasks: 1, FileMax: 2000, MailMax: 2000, Seed: 3})
	for i, u := range users {
		made := held.Users[i]
		made.Email, made.Given, made.Family, made.Admin = u.Email, u.Given, u.Family, i == 0
	}
	return held
}

// TestSmallExamples runs the job files for two accounts that lie in examples/ itself.
func TestSmallExamples(t *testing.T) {
	paths, err := filepath.Glob("../../examples/*.yaml")
	if err != nil || len(paths) < 4 {
		t.Fatalf("%q, %v", paths, err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			held := peopled(t, organisation.User{Email: "admin@example.org"}, organisation.User{Email: "ada@example.org"}, organisation.User{Email: "grace@example.org"})
			var source *simulation.Source
			if text, _ := os.ReadFile(path); strings.Contains(string(text), "microsoft:") {
				source = tenantHolding(t, held)
			} else {
				data, err := sim.Of(held)
				if err != nil {
					t.Fatal(err)
				}
				source = simulation.Google(data, sim.Options{}, "")
			}
			exampled(t, path, source, targetsOf(t, path)).whole(t)
		})
	}
}

func TestExamplePilot(t *testing.T) {
	const path = "../../examples/pilot/pilot.yaml"
	exampled(t, path, googleDemo(t), targetsOf(t, path)).whole(t)
}

func TestExampleSharedDrives(t *testing.T) {
	const path = "../../examples/shared-drives/drives.yaml"
	exampled(t, path, googleDemo(t), targetsOf(t, path)).whole(t)
}

func TestExampleMicrosoft(t *testing.T) {
	const path = "../../examples/microsoft/town.yaml"
	held, err := demoOrganisation()
	if err != nil {
		t.Fatal(err)
	}
	exampled(t, path, tenantHolding(t, held), targetsOf(t, path)).whole(t)
}

// TestExampleSchool makes the accounts file of a school from its directory, as the example says, and moves a first wave of it.
func TestExampleSchool(t *testing.T) {
	const path = "../../examples/school/school.yaml"
	pupils := school()
	data, err := sim.Of(peopled(t, pupils...))
	if err != nil {
		t.Fatal(err)
	}
	var targets []string
	for _, p := range pupils {
		targets = append(targets, strings.ToLower(p.Given+"."+p.Family))
	}
	e := exampled(t, path, simulation.Google(data, sim.Options{}, ""), targets)
	list := e.ran(t, exitOK, "accounts", "school.yaml", "--names", "first.last", "--password", "file:secrets/{user}").stdout.String()
	shown, err := os.ReadFile(filepath.Join(filepath.Dir(path), "accounts.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(list, string(shown)) {
		t.Errorf("the example's accounts file is not the beginning of what accounts prints:\n%.600s", list)
	}
	accounts := filepath.Join(e.dir, "accounts.csv")
	if err := os.WriteFile(accounts, []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	if all := e.ran(t, exitOK, "accounts", "check", "school.yaml").stdout.String(); !strings.Contains(all, fmt.Sprintf("%d accounts", len(pupils))) {
		t.Errorf("accounts check: %s", all)
	}
	e.ran(t, exitOK, "check", "school.yaml", "--sample", "5")
	const wave = 20 // of the whole school, which would take a minute
	if err := os.WriteFile(accounts, []byte(strings.Join(strings.SplitAfter(list, "\n")[:1+wave], "")), 0o600); err != nil {
		t.Fatal(err)
	}
	e.whole(t)
	moved := map[string]bool{}
	for _, m := range regexp.MustCompile(`"account": *"([^"]+@example\.org)"`).FindAllStringSubmatch(e.ran(t, exitOK, "status", "school.yaml", "--json").stdout.String(), -1) {
		moved[m[1]] = true
	}
	if len(moved) != wave {
		t.Errorf("%d of %d accounts were moved", len(moved), wave)
	}
}

// school is whom the example's school has: several hundred people with names of their own.
func school() []organisation.User {
	given := strings.Fields("Mira Jonas Leila Emil Ida Noah Ella Omar Nora Paul Zoe Luis Amina Theo Frida Karim Greta Milan Hanna Levi")
	family := strings.Fields("Adler Baum Costa Diallo Engel Fischer Gruber Haas Ivanov Jansen Krause Lang Moreau Novak Okoye")
	users := []organisation.User{{Email: "anna.keller@example.org", Given: "Anna", Family: "Keller"}}
	for i, f := range family {
		for j, g := range given {
			users = append(users, organisation.User{Email: fmt.Sprintf("s%04d@example.org", i*len(given)+j+1), Given: g, Family: f})
		}
	}
	return users
}
