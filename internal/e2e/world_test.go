package e2e

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
)

const admin = "admin@example.org"

// person is a line of the accounts file. The empty password stands for that of all accounts, another one names a file.
type person struct {
	source, target, kinds, password string
}

// urls are the targets as the job file names them.
type urls struct {
	mail, files, calendar, contacts, tasks string
}

func (s *servers) urls() urls {
	return urls{mail: "imap://" + s.mail.IMAP, files: s.files.FilesURL("{user}"), calendar: s.calendar.CalendarsURL("{user}")}
}

// world is a provider, targets, and the folder of one job between them.
type world struct {
	tb       testing.TB
	dir      string
	data     *sim.Data
	provider *cloudsim.Front
	google   *sim.Server // nil where the provider is another
	// source is the job file's section of that name.
	source   string
	endpoint string
	targets  urls
	people   []person
	// extra are further lines of the job file.
	extra []string
	// hook is asked about each request to the provider.
	hook atomic.Pointer[providerHook]
}

// newWorld starts a provider for the data and writes the files of a job that moves the people to the targets.
func newWorld(tb testing.TB, data *sim.Data, o sim.Options, targets urls, people ...person) *world {
	tb.Helper()
	w := &world{tb: tb, dir: tb.TempDir(), data: data, targets: targets, people: people}
	o.Hook = w.ask
	provider := sim.New(data, o)
	w.serve(provider, provider.Front)
	w.google = provider
	w.write("sa.json", string(provider.KeyFile(w.endpoint)))
	w.source = fmt.Sprintf("google: {credentials: \"file:sa.json\", admin: %q, endpoint: %q, tier: unlimited}", admin, w.endpoint)
	w.writeJob()
	return w
}

// serve starts a provider until the test ends.
func (w *world) serve(handler http.Handler, front *cloudsim.Front) {
	server := httptest.NewServer(handler)
	w.tb.Cleanup(func() {
		_ = front.Close()
		server.CloseClientConnections()
		server.Close()
	})
	w.provider, w.endpoint = front, server.URL+"/"
}

// job is the path of the job file.
func (w *world) job() string { return filepath.Join(w.dir, "job.yaml") }

func (w *world) write(name, text string) {
	w.tb.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.tb.Fatal(err)
	}
}

// writeJob writes the job file and the accounts file.
func (w *world) writeJob() {
	w.tb.Helper()
	var b strings.Builder
	b.WriteString("job: e2e\nstate: e2e.db\naccounts: accounts.csv\n")
	fmt.Fprintf(&b, "source: {%s}\n", w.source)
	b.WriteString("target:\n")
	for _, t := range [][3]string{{"files", "webdav", w.targets.files}, {"mail", "imap", w.targets.mail}, {"calendar", "caldav", w.targets.calendar},
		{"contacts", "carddav", w.targets.contacts}, {"tasks", "caldav", w.targets.tasks}} {
		if t[2] != "" {
			fmt.Fprintf(&b, "  %s: {%s: %q}\n", t[0], t[1], t[2])
		}
	}
	for _, line := range w.extra {
		b.WriteString(line + "\n")
	}
	w.write("job.yaml", b.String())
	w.write("password", password+"\n")
	b.Reset()
	b.WriteString("source,target,password,kinds\n")
	for _, p := range w.people {
		fmt.Fprintf(&b, "%s,%s,file:%s,%s\n", p.source, p.target, cmp.Or(p.password, "password"), p.kinds)
	}
	w.write("accounts.csv", b.String())
}

// organisation returns one with an administrator and the given users.
func tenantData(tb testing.TB, users ...string) *sim.Data {
	tb.Helper()
	data := sim.NewData("example.org")
	must(tb, data.AddUser(sim.User{Email: admin, Admin: true}))
	for _, u := range users {
		must(tb, data.AddUser(sim.User{Email: u}))
	}
	return data
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
