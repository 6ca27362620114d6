package simulation_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/simulation"
)

// TestReadTarget: what the other job file names in its own folder is named from the simulation's.
func TestReadTarget(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"servers.yaml": `job: other
target:
  ca: ca.pem
  files: {webdav: "http://cloud.example.org/files/{user}/"}
  mail: {imap: "imaps://mail.example.org", master: {user: migration, password: "file:master"}}
insecure: true
accounts: people.csv
`,
		"people.csv": "source;target;mail_password;password;kinds\nada@example.org;ada;file:mail/ada;file:ada;files mail\nben@example.org;ben;;env:BEN;\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	target, accounts, err := simulation.ReadTarget(filepath.Join(dir, "servers.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	job, err := config.Parse("job.yaml", []byte("job: j\nsource: {google: {credentials: file:sa.json, admin: a@example.org}}\naccounts: accounts.csv\n"+target))
	if err != nil {
		t.Fatal(err)
	}
	if m := job.Target.Mail.Master; job.CAPath() != filepath.Join(dir, "ca.pem") || m.Password != "file:"+filepath.Join(dir, "master") || m.User != "migration" || !job.Insecure {
		t.Errorf("%s", target)
	}
	people, err := config.ParseAccounts("accounts.csv", []byte(accounts))
	if err != nil || len(people) != 2 {
		t.Fatalf("%v: %s", err, accounts)
	}
	ada, ben := people[0], people[1]
	if ada.Password != "file:"+filepath.Join(dir, "ada") || ada.Login("mail").Password != "file:"+filepath.Join(dir, "mail", "ada") ||
		ada.Login("mail").Target != "ada" || strings.Join(ada.Kinds, " ") != "files mail" {
		t.Errorf("%+v", ada)
	}
	if ben.Password != "env:BEN" || ben.Login("mail").Password != "env:BEN" || len(ben.Kinds) != 0 {
		t.Errorf("%+v", ben)
	}
}

func TestReadTargetRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"target: {mail: {imap: x}}", "give both target and accounts"},
		{"target: {mail: {imap: x}}\naccounts: people.csv", "people.csv"},
		{"target: [", "servers.yaml"},
	} {
		path := filepath.Join(t.TempDir(), "servers.yaml")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := simulation.ReadTarget(path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v", c.text, err)
		}
	}
}
