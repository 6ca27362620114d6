package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"codeberg.org/repatriate/repatriate/internal/config"
)

// noClientID stands in a job file until the application is registered.
const noClientID = "00000000-0000-0000-0000-000000000000"

// jobTemplate is a job file. What was answered is quoted as JSON, which YAML reads.
const jobTemplate = `# A job of repatriate: what to move, from where, and to where. docs/job-file.md describes every key.
#
#   repatriate accounts check {{.File}}     looks at the accounts file
#   repatriate plan {{.File}}               reads everything, and says what would be moved and lost
#   repatriate run {{.File}}                moves it; again and again, each time what is new

job: {{q .Job}}
state: {{q .State}}    # what was moved and where it lies: keep it until the job is over
accounts: accounts.csv    # who is moved, and to which account
kinds: [{{.Kinds}}]

source:
{{- if .Google}}
  google:
    credentials: {{q .Credentials}}    # names the service account's key; secrets never stand here
    admin: {{q .Admin}}
    # tier: old                    # if the Cloud project began to use the APIs before May 2026
    # formats: opendocument        # Google's own documents as odt, ods and odp instead of docx, xlsx and pptx
    # spam_trash: true             # spam and trash, too
{{- else}}
  microsoft:
    tenant: {{q .Tenant}}
    client_id: {{q .ClientID}}{{if .NoClientID}}    # write the id of the registered application here{{end}}
    secret: {{q .Secret}}    # names the client secret; secrets never stand here
    # certificate: file:app.pem    # instead of a client secret
    # licences: 400                # the tenant's licences, by which SharePoint measures how fast an application may read
    # sites: ["https://example.sharepoint.com/sites/school"]    # whose libraries 'accounts' lists; all otherwise
    # spam_trash: true             # junk mail and deleted items, too
{{- end}}

target:    # {user} is the account's name there, from the accounts file
{{- if .WebDAV}}
  files:
    webdav: {{q .WebDAV}}
{{- end}}
{{- if .IMAP}}
  mail:
    imap: {{q .IMAP}}
    # One account that may act for all others; the accounts file then needs no password for mail. Without one, and if names or
    # passwords are others than those of files, the accounts file may have the columns mail_target and mail_password.
    # master: {user: migration, password: "env:IMAP_MASTER_PASSWORD"}
{{- end}}
{{- if .Calendar}}
  calendar:
    caldav: {{q .Calendar}}
{{- end}}
{{- if .CardDAV}}
  contacts:
    carddav: {{q .CardDAV}}
{{- end}}
{{- if .Tasks}}
  tasks:
    caldav: {{q .Tasks}}
{{- end}}

# labels: copies           # a mail with several labels is copied into each mailbox; its other labels are keywords otherwise
# deletions: propagate     # what is deleted at the source later is removed from the target, too
# concurrency: {accounts: 8}    # accounts at the same time; 4 otherwise
`

// quoted writes a text as YAML.
func quoted(s string) (string, error) {
	b, err := json.Marshal(s)
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(b)), err
}

var jobFile = template.Must(template.New("job").Funcs(template.FuncMap{"q": quoted}).Parse(jobTemplate))

// text returns the job file.
func (a *initAnswers) text() (string, error) {
	only := func(kind, url string) string {
		if slices.Contains(a.kinds, kind) {
			return url
		}
		return ""
	}
	files, calendars, books := a.webdav, a.dav, a.carddav
	if root := a.nextcloud + "/remote.php/dav"; a.nextcloud != "" {
		setEmpty(&files, root+"/files/{user}/")
		setEmpty(&calendars, root+"/calendars/{user}/")
		setEmpty(&books, root+"/addressbooks/users/{user}/")
	}
	clientID := a.clientID
	setEmpty(&clientID, noClientID)
	var b strings.Builder
	err := jobFile.Execute(&b, map[string]any{
		"File": a.job + ".yaml", "Job": a.job, "State": a.job + ".db", "Kinds": strings.Join(a.kinds, ", "),
		"Google": a.provider == "google", "Credentials": a.credentials, "Admin": a.admin,
		"Tenant": a.tenant, "ClientID": clientID, "NoClientID": a.clientID == "", "Secret": a.secret,
		"WebDAV": only("files", files), "IMAP": only("mail", a.imap), "CardDAV": only("contacts", books),
		"Calendar": only("calendar", calendars), "Tasks": only("tasks", calendars),
	})
	return b.String(), err
}

func setEmpty(s *string, value string) {
	if *s == "" {
		*s = value
	}
}

// accountsText is an accounts file without accounts, with an example that is commented out.
func (a *initAnswers) accountsText() string {
	domain := a.tenant
	if a.provider == "google" {
		_, domain, _ = strings.Cut(a.admin, "@")
	}
	if guid.MatchString(domain) {
		domain = "example.org"
	}
	return "source,target,password,kinds,state,name,comment\n" +
		"# ada@" + domain + ",ada,file:secrets/ada,,,,an example: take out the # and the blank behind it\n"
}

// write writes both files into the folder, which it makes if need be. Nothing that is there is overwritten: neither file is written
// if one of them is there.
func (a *initAnswers) write(dir string) (path string, job *config.Job, err error) {
	text, err := a.text()
	if err != nil {
		return "", nil, err
	}
	path = filepath.Join(dir, a.job+".yaml")
	if job, err = config.Parse(path, []byte(text)); err != nil {
		return "", nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, err
	}
	for _, made := range []string{path, job.AccountsPath(), job.StatePath()} { // a state file belongs to one job
		if _, err := os.Lstat(made); err == nil {
			return "", nil, isThere(made)
		}
	}
	if err := writeOnce(path, text); err != nil {
		return "", nil, err
	}
	if err := writeOnce(job.AccountsPath(), a.accountsText()); err != nil {
		return "", nil, errors.Join(err, os.Remove(path)) // it was made just now
	}
	return path, job, nil
}

// writeOnce writes a file that must not be there, for the owner alone.
func writeOnce(path, text string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return isThere(path)
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

func isThere(path string) error {
	return fmt.Errorf("%s is there already, and init overwrites nothing: name another folder", path)
}
