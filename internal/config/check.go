package config

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/pace"
	"codeberg.org/repatriate/repatriate/internal/secret"
	"codeberg.org/repatriate/repatriate/internal/windows"
)

// check looks at the whole job file. lines are those of its keys.
func (j *Job) check(path string, lines map[string]int) error {
	f := &findings{path: path, lines: lines}
	if j.Job == "" {
		f.add("job: give the job a name")
	} else if strings.ContainsAny(j.Job, "/\\\x00\n") {
		f.add("job: %q may not hold slashes or line breaks", j.Job)
	}
	if j.Accounts == "" {
		f.add("accounts: name the accounts file; 'repatriate accounts' prints one to start with")
	}
	j.checkSource(f)
	j.checkTarget(f)
	if j.Kinds != nil && len(j.Kinds) == 0 {
		f.add("kinds: the list is empty; leave the key out to move all that has a target")
	}
	for _, k := range j.Kinds {
		if !slices.Contains(Kinds, k) {
			f.add("kinds: there is no kind %q; the kinds are %s", k, strings.Join(Kinds, ", "))
		} else if !j.hasTarget(k) {
			f.add("kinds: %s has no target; add target.%s", k, k)
		}
	}
	oneOf(f, "labels", j.Labels, "primary", "copies")
	oneOf(f, "deletions", j.Deletions, "keep", "propagate")
	oneOf(f, "conflicts", j.Conflicts, "keep-target", "rename", "source-wins")
	oneOf(f, "approve", j.Approve, "A", "B", "C")
	if c := j.Concurrency; c.Items < 0 || c.Items > 1024 || c.Accounts < 0 || c.Accounts > 1024 {
		f.add("concurrency: items and accounts lie between 1 and 1024")
	}
	j.checkSteering(f)
	return f.err()
}

// checkSteering reads when and how fast the job is run.
func (j *Job) checkSteering(f *findings) {
	var err error
	if j.Bandwidth != "" {
		if j.Pace, err = pace.Parse(j.Bandwidth); err != nil {
			f.add("bandwidth: %v", err)
		}
	}
	if j.Windows != nil && len(j.Windows) == 0 {
		f.add("windows: the list is empty; leave the key out to run at any time")
	}
	if j.Open, err = windows.Parse(j.Windows, j.TimeZone); err != nil {
		f.add("windows: %v", err)
	}
}

func oneOf(f *findings, key, value string, allowed ...string) {
	if value != "" && !slices.Contains(allowed, value) {
		f.add("%s: %q is none of %s", key, value, strings.Join(allowed, ", "))
	}
}

func (j *Job) checkSource(f *findings) {
	g, m := j.Source.Google, j.Source.Microsoft
	switch {
	case g == nil && m == nil:
		f.add("source: name the provider, for example source: {google: {credentials: file:sa.json, admin: admin@example.org}}, " +
			"or source: {microsoft: {tenant: example.org, client_id: …, secret: file:secret}}")
	case g != nil && m != nil:
		f.add("source: a job moves from one provider; give the other one a job of its own")
	case g != nil:
		j.checkGoogle(f, g)
	default:
		j.checkMicrosoft(f, m)
	}
}

func (j *Job) checkGoogle(f *findings, g *Google) {
	checkRef(f, "source.google.credentials", g.Credentials)
	if !strings.Contains(g.Admin, "@") {
		f.add("source.google.admin: give the address of an administrator")
	}
	oneOf(f, "source.google.tier", g.Tier, "new", "old", "unlimited")
	if g.Clock < 0 {
		f.add("source.google.clock: it is a number from 0 on")
	}
	if g.Endpoint != "" {
		j.checkURL(f, "source.google.endpoint", g.Endpoint, "https", "http")
	}
}

func (j *Job) checkMicrosoft(f *findings, m *Microsoft) {
	if m.Tenant == "" {
		f.add("source.microsoft.tenant: give the tenant's id or one of its domains")
	}
	if m.ClientID == "" {
		f.add("source.microsoft.client_id: give the id of the application's registration")
	}
	switch {
	case m.Secret != "" && m.Certificate != "":
		f.add("source.microsoft: give a secret or a certificate, not both")
	case m.Certificate != "":
		checkRef(f, "source.microsoft.certificate", m.Certificate)
	case m.Secret == "":
		f.add("source.microsoft: name the client secret (secret: file:…) or the certificate (certificate: file:…)")
	default:
		checkRef(f, "source.microsoft.secret", m.Secret)
	}
	if m.CertificatePassword != "" {
		checkRef(f, "source.microsoft.certificate_password", m.CertificatePassword)
	}
	oneOf(f, "source.microsoft.cloud", m.Cloud, "global", "us", "us-dod", "china")
	if m.Licences < 0 || m.Clock < 0 {
		f.add("source.microsoft: licences and clock are numbers from 0 on")
	}
	for _, site := range m.Sites {
		j.checkURL(f, "source.microsoft.sites", site, "https", "https")
	}
	for key, address := range map[string]string{"endpoint": m.Endpoint, "login": m.Login} {
		if address != "" {
			j.checkURL(f, "source.microsoft."+key, address, "https", "http")
		}
	}
}

func checkRef(f *findings, key, ref string) {
	if ref == "" {
		f.add("%s: is missing", key)
	} else if err := secret.Check(ref); err != nil {
		f.add("%s: %v", key, err)
	}
}

func (j *Job) checkTarget(f *findings) {
	t := j.Target
	if t == (Target{CA: t.CA}) {
		f.add("target: name at least one of %s", strings.Join(Kinds, ", "))
	}
	if t.Files != nil {
		j.checkURL(f, "target.files.webdav", t.Files.WebDAV, "https", "http")
	}
	if t.Calendar != nil {
		j.checkURL(f, "target.calendar.caldav", t.Calendar.CalDAV, "https", "http")
	}
	if t.Contacts != nil {
		j.checkURL(f, "target.contacts.carddav", t.Contacts.CardDAV, "https", "http")
	}
	if t.Tasks != nil {
		j.checkURL(f, "target.tasks.caldav", t.Tasks.CalDAV, "https", "http")
	}
	if t.Mail == nil {
		return
	}
	j.checkURL(f, "target.mail.imap", t.Mail.IMAP, "imaps", "imap")
	if t.Mail.Connections < 0 || t.Mail.Connections > 64 {
		f.add("target.mail.connections: lies between 1 and 64")
	}
	if m := t.Mail.Master; m != nil {
		if m.User == "" {
			f.add("target.mail.master.user: is missing")
		}
		checkRef(f, "target.mail.master.password", m.Password)
		oneOf(f, "target.mail.master.form", m.Form, "separator", "authzid")
	}
}

// checkURL takes the scheme secure, or the plain one to this machine or where the job file allows it.
func (j *Job) checkURL(f *findings, key, raw, secure, plain string) {
	u, err := url.Parse(strings.ReplaceAll(raw, "{user}", "user"))
	switch {
	case raw == "":
		f.add("%s: is missing", key)
	case err != nil || u.Hostname() == "":
		f.add("%s: %q is no URL like %s://host/path", key, raw, secure)
	case u.User != nil:
		f.add("%s: write no user or password into the URL; the accounts file names them", key)
	case u.Scheme == secure:
	case u.Scheme != plain:
		f.add("%s: the scheme %q is none of %s, %s", key, u.Scheme, secure, plain)
	case !isLoopback(u.Hostname()) && !j.Insecure:
		f.add("%s: %s: sends passwords in the clear; use %s: or write insecure: true", key, plain, secure)
	}
}

// IsLoopbackURL reports whether the URL leads to this machine.
func IsLoopbackURL(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && isLoopback(u.Hostname())
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// checkPeople looks for what only the job file and the accounts file together can show.
func (j *Job) checkPeople(f *findings) {
	if len(j.People) == 0 {
		f.add("the accounts file holds no account; 'repatriate accounts' prints what the directory holds")
	}
	j.checkShared(f)
	j.checkOwn(f)
	for i := range j.People {
		p := &j.People[i]
		if len(p.Kinds) == 0 {
			p.Kinds = j.Kinds
		}
		for _, k := range p.Kinds {
			if slices.Contains(Kinds, k) && !j.hasTarget(k) { // of what is no kind that was said already
				f.say(p.Line, "%s has no target in the job file", k)
			}
			if p.Login(k).Password == "" && !(k == "mail" && j.master()) {
				f.say(p.Line, "%s", missingPassword(*p, k))
				break
			}
		}
	}
}

// checkShared refuses that several accounts are written into one place: their files would be mixed up.
func (j *Job) checkShared(f *findings) {
	for _, at := range j.places() {
		if at.kind == "mail" || strings.Contains(at.url, "{user}") {
			continue
		}
		n := 0
		for _, p := range j.People {
			if slices.Contains(p.Kinds, at.kind) || len(p.Kinds) == 0 && slices.Contains(j.Kinds, at.kind) {
				n++
			}
		}
		if n > 1 {
			f.add("%d accounts would become one: write {user} into %s of the job file", n, at.key)
		}
	}
}

func filesURL(t *FilesTarget) string {
	if t == nil {
		return ""
	}
	return t.WebDAV
}

func mailURL(t *MailTarget) string {
	if t == nil {
		return ""
	}
	return t.IMAP
}

func contactsURL(t *ContactsTarget) string {
	if t == nil {
		return ""
	}
	return t.CardDAV
}

func calendarURL(t *CalendarTarget) string {
	if t == nil {
		return ""
	}
	return t.CalDAV
}
