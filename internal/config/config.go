// Package config reads the job file and the accounts file that it names, and says of each mistake where it is and what
// to write instead. All mistakes are reported at once.
package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"

	"codeberg.org/repatriate/repatriate/internal/windows"
)

// Kinds are the kinds of content that a job can move, in the order in which they are moved.
var Kinds = []string{"files", "mail", "calendar", "contacts", "tasks"}

// Job is a job file. docs/job-file.md describes each key; a test holds the two together.
type Job struct {
	// Job is the job's name; it stands in reports and in the state file.
	Job string `yaml:"job"`
	// State is the path of the state file, relative to the job file.
	State string `yaml:"state"`
	// Source is what is moved from.
	Source Source `yaml:"source"`
	// Target is what is moved to.
	Target Target `yaml:"target"`
	// Accounts is the path of the accounts file, relative to the job file.
	Accounts string `yaml:"accounts"`
	// Kinds are the kinds of content to move; empty: all that have a target.
	Kinds []string `yaml:"kinds"`
	// Labels says what becomes of a message's labels beside the first: "primary" (keywords) or "copies".
	Labels string `yaml:"labels"`
	// Deletions says what becomes on the target of what is deleted at the source: "keep" or "propagate".
	Deletions string `yaml:"deletions"`
	// Conflicts says what becomes of an item that somebody changed on the target, or whose place is taken there: "keep-target",
	// "rename" or "source-wins".
	Conflicts string `yaml:"conflicts"`
	// Approve is the worst grade of a plan with which an account runs without anybody's approval: "A", "B" or "C". Empty: none is needed.
	Approve     string      `yaml:"approve"`
	Concurrency Concurrency `yaml:"concurrency"`
	// Bandwidth bounds the bytes per second in each direction, as pace.Parse reads it; empty: nothing does.
	Bandwidth string `yaml:"bandwidth"`
	// Windows are the times of a week in which runs work, as windows.Parse reads them; empty: always. TimeZone is theirs, an IANA name;
	// empty: this machine's.
	Windows  []string `yaml:"windows"`
	TimeZone string   `yaml:"timezone"`
	// Insecure allows connections without TLS beyond this machine.
	Insecure bool `yaml:"insecure"`

	// Path is the job file, and Dir its folder.
	Path string `yaml:"-"`
	Dir  string `yaml:"-"`
	// People are the lines of the accounts file.
	People []Account `yaml:"-"`
	// Pace is what Bandwidth says, in bytes per second; 0: no bound. Open is what Windows and TimeZone say.
	Pace int64           `yaml:"-"`
	Open windows.Windows `yaml:"-"`
}

// Source names the provider; exactly one is given.
type Source struct {
	Google    *Google    `yaml:"google"`
	Microsoft *Microsoft `yaml:"microsoft"`
}

// Google is a Google Workspace organisation.
type Google struct {
	// Credentials references the service account's key file.
	Credentials string `yaml:"credentials"`
	// Admin is the administrator whose view of the directory is used.
	Admin string `yaml:"admin"`
	// Endpoint replaces the root of all Google services; for simulations.
	Endpoint string `yaml:"endpoint"`
	// Tier selects the quotas: "new", "old" or "unlimited".
	Tier string `yaml:"tier"`
	// Paid says that use above the daily thresholds is paid for.
	Paid bool `yaml:"paid"`
	// Clock says how many times as fast the project's minutes pass; for simulations.
	Clock float64 `yaml:"clock"`
	// Formats are the formats of exported documents.
	Formats Formats `yaml:"formats"`
	// SpamTrash moves spam and trash as well.
	SpamTrash bool `yaml:"spam_trash"`
	// AcknowledgeAbuse moves files that Google flagged as malware or abuse.
	AcknowledgeAbuse bool `yaml:"acknowledge_abuse"`
	// OtherContacts moves those whom a user wrote to without ever making a contact of them, into an address book of their own.
	OtherContacts bool `yaml:"other_contacts"`
}

// Microsoft is a Microsoft 365 tenant.
type Microsoft struct {
	// Tenant is the tenant's id or one of its domains, ClientID the id of the application's registration in it.
	Tenant   string `yaml:"tenant"`
	ClientID string `yaml:"client_id"`
	// Secret references the application's client secret, or Certificate its certificate and key (PEM or PKCS#12) and
	// CertificatePassword what protects them; one of the two.
	Secret              string `yaml:"secret"`
	Certificate         string `yaml:"certificate"`
	CertificatePassword string `yaml:"certificate_password"`
	// Cloud is the national cloud.
	Cloud string `yaml:"cloud"`
	// Licences is the number of the tenant's licences, which sets SharePoint's quota.
	Licences int `yaml:"licences"`
	// Sites are the addresses of the SharePoint sites whose libraries are listed; empty: all.
	Sites []string `yaml:"sites"`
	// SpamTrash moves junk mail and deleted items as well.
	SpamTrash bool `yaml:"spam_trash"`
	// Endpoint and Login replace the roots of Graph and of the token service, Unlimited switches the quotas off, and Clock says how
	// many times as fast the tenant's minutes pass; all for simulations.
	Endpoint  string  `yaml:"endpoint"`
	Login     string  `yaml:"login"`
	Unlimited bool    `yaml:"unlimited"`
	Clock     float64 `yaml:"clock"`
}

// Formats is a word for all formats ("opendocument"), or the format of each type of document.
type Formats struct {
	Word    string
	Changes map[string]string
}

// UnmarshalYAML reads the word or the map.
func (f *Formats) UnmarshalYAML(decode func(any) error) error {
	if err := decode(&f.Word); err == nil {
		return nil
	}
	f.Word = ""
	return decode(&f.Changes)
}

// Target names the servers for each kind; a kind without a server is not moved.
type Target struct {
	// CA is the path of a file of certificates in the form of PEM, relative to the job file: authorities that are trusted for the
	// targets beside the system's.
	CA       string          `yaml:"ca"`
	Files    *FilesTarget    `yaml:"files"`
	Mail     *MailTarget     `yaml:"mail"`
	Calendar *CalendarTarget `yaml:"calendar"`
	Contacts *ContactsTarget `yaml:"contacts"`
	Tasks    *CalendarTarget `yaml:"tasks"`
}

// FilesTarget is a WebDAV server.
type FilesTarget struct {
	// WebDAV is the URL of the user's own folder; {user} stands for the target account.
	WebDAV string `yaml:"webdav"`
}

// MailTarget is an IMAP server.
type MailTarget struct {
	// IMAP is the server's URL, imaps://host:port or imap://host:port.
	IMAP string `yaml:"imap"`
	// Connections is the number of connections for each account.
	Connections int `yaml:"connections"`
	// Master is an account that may act for all others.
	Master *Master `yaml:"master"`
}

// Master is an IMAP master user.
type Master struct {
	User string `yaml:"user"`
	// Password references the master's password.
	Password string `yaml:"password"`
	// Form is "separator" (login as user*master) or "authzid" (SASL PLAIN with an authorization identity).
	Form string `yaml:"form"`
	// Separator stands between the two names; "*" if empty.
	Separator string `yaml:"separator"`
}

// ContactsTarget is a CardDAV server.
type ContactsTarget struct {
	// CardDAV is the URL of the user's address book home; {user} stands for the target account.
	CardDAV string `yaml:"carddav"`
}

// CalendarTarget is a CalDAV server.
type CalendarTarget struct {
	// CalDAV is the URL of the user's calendar home; {user} stands for the target account.
	CalDAV string `yaml:"caldav"`
}

// Concurrency says how much is done at once.
type Concurrency struct {
	// Items is the number of items of one collection that are moved at once; 0 divides what is good for a kind
	// among the accounts. Accounts is the number of accounts at once.
	Items    int `yaml:"items"`
	Accounts int `yaml:"accounts"`
}

// maxFile bounds a job file and an accounts file.
const maxFile = 64 << 20

// Open reads the job file alone. The error joins all mistakes that were found.
func Open(path string) (*Job, error) {
	text, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w%s", err, neighbour(path))
	}
	if err != nil {
		return nil, err
	}
	return Parse(path, text)
}

// Load reads the job file and its accounts file. The error joins all mistakes that were found.
func Load(path string) (*Job, error) {
	j, err := Open(path)
	if err != nil {
		return nil, err
	}
	file := j.AccountsPath()
	text, err := read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: accounts: %w%s", path, err, howToList(err))
	}
	if j.People, err = ParseAccounts(file, text); err != nil {
		return nil, err
	}
	f := &findings{path: file}
	j.checkPeople(f)
	return j, f.err()
}

// neighbour names the YAML file beside path that is called most like it, if there is one.
func neighbour(path string) string {
	files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*.y*ml"))
	if err != nil || len(files) == 0 {
		return ""
	}
	names := make([]string, len(files))
	for i, file := range files {
		names[i] = filepath.Base(file)
	}
	if near := Nearest(filepath.Base(path), names); near != "" {
		return "; do you mean " + filepath.Join(filepath.Dir(path), near) + "?"
	}
	return ""
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a folder, not a file%s", path, jobBeside(filepath.Join(path, "job")))
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s: larger than %d MB", path, maxFile>>20)
	}
	return text, err
}

// Parse reads the text of a job file; path is for messages and for relative paths.
func Parse(path string, text []byte) (*Job, error) {
	if err := foreign(path, text); err != nil {
		return nil, err
	}
	doc, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, form(path, err)
	}
	if !isMapping(doc) {
		return nil, fmt.Errorf("%s: a job file is a list of keys with their values, as 'repatriate init' writes it", path)
	}
	if err := checkKeys(path, doc); err != nil {
		return nil, err
	}
	j := &Job{Path: path, Dir: filepath.Dir(path)}
	if err := yaml.Unmarshal(text, j); err != nil && !errors.Is(err, io.EOF) {
		return nil, form(path, err)
	}
	if err := j.check(path, keyLines(doc)); err != nil {
		return nil, err
	}
	j.defaults()
	return j, nil
}

func (j *Job) defaults() {
	if j.State == "" {
		j.State = j.Job + ".db"
	}
	if j.Kinds == nil {
		j.Kinds = slices.DeleteFunc(slices.Clone(Kinds), func(k string) bool { return !j.hasTarget(k) })
	}
	setDefault(&j.Labels, "primary")
	setDefault(&j.Deletions, "keep")
	setDefault(&j.Conflicts, "keep-target")
	setDefault(&j.Concurrency.Accounts, 4)
	if m := j.Target.Mail; m != nil {
		setDefault(&m.Connections, 4)
		if m.Master != nil {
			setDefault(&m.Master.Form, "separator")
			setDefault(&m.Master.Separator, "*")
		}
	}
}

func setDefault[V comparable](v *V, d V) {
	var zero V
	if *v == zero {
		*v = d
	}
}

func (j *Job) hasTarget(kind string) bool {
	switch kind {
	case "files":
		return j.Target.Files != nil
	case "mail":
		return j.Target.Mail != nil
	case "calendar":
		return j.Target.Calendar != nil
	case "contacts":
		return j.Target.Contacts != nil
	case "tasks":
		return j.Target.Tasks != nil
	default:
		return false
	}
}

func (j *Job) path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(j.Dir, p)
}

// AccountsPath returns the path of the accounts file.
func (j *Job) AccountsPath() string { return j.path(j.Accounts) }

// Secrets returns all references to secrets of the job file and of the accounts file.
func (j *Job) Secrets() []string {
	var refs []string
	if g := j.Source.Google; g != nil {
		refs = append(refs, g.Credentials)
	}
	if m := j.Source.Microsoft; m != nil {
		refs = append(refs, m.Secret, m.Certificate, m.CertificatePassword)
	}
	if m := j.Target.Mail; m != nil && m.Master != nil {
		refs = append(refs, m.Master.Password)
	}
	for _, p := range j.People {
		refs = append(refs, p.passwords()...)
	}
	slices.Sort(refs)
	return slices.DeleteFunc(slices.Compact(refs), func(ref string) bool { return ref == "" })
}

// CAPath returns the path of the file of authorities; empty if there is none.
func (j *Job) CAPath() string {
	if j.Target.CA == "" {
		return ""
	}
	return j.path(j.Target.CA)
}

// StatePath returns the path of the state file.
func (j *Job) StatePath() string { return j.path(j.State) }
