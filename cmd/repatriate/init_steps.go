package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/config"
)

// writeSteps says what to do at the provider and on this machine, in their order.
func writeSteps(out io.Writer, path string, job *config.Job) error {
	needs, err := accessOf(job)
	if err != nil {
		return usage(err)
	}
	var b strings.Builder
	if job.Source.Google != nil {
		writeGoogleSteps(&b, path, job, needs)
	} else {
		writeMicrosoftSteps(&b, path, job, needs)
	}
	writeNextSteps(&b, path, job)
	_, err = io.WriteString(out, folded(b.String(), helpColumns))
	return err
}

func writeGoogleSteps(b *strings.Builder, path string, job *config.Job, needs access) {
	fmt.Fprintf(b, `
At Google, once, as a super administrator:

1. Make a project in the Google Cloud console, https://console.cloud.google.com, and switch on under
   "APIs & Services > Library":
     %s
2. Under "IAM & Admin > Service Accounts" make a service account. It needs no role. Under
   "Keys > Add key > Create new key" make a key of the type JSON, and keep it
     %s
3. In the Admin console, https://admin.google.com, open "Security > Access and data control >
   API controls > Manage domain-wide delegation", choose "Add new", and enter
   the client ID:
     %s
   the OAuth scopes, as one line; all of them only read:
     %s
   It may take some minutes to take effect.
`, strings.Join(needs.libraries, ", "), whereToKeep(job, job.Source.Google.Credentials), keyHolder(path, job), strings.Join(needs.scopes, ","))
}

// secretPath returns the path of the file that a reference names.
func secretPath(job *config.Job, ref string) (path string, ok bool) {
	path, ok = strings.CutPrefix(ref, "file:")
	if ok && !filepath.IsAbs(path) {
		path = filepath.Join(job.Dir, path)
	}
	return path, ok
}

func whereToKeep(job *config.Job, ref string) string {
	if path, ok := secretPath(job, ref); ok {
		return fmt.Sprintf("as %s, readable by you alone (chmod 600)", path)
	}
	return "where the job file looks for it: " + ref
}

// keyHolder returns the client id of the key file if that is there. Only a file is looked into: nothing is run for it.
func keyHolder(path string, job *config.Job) string {
	const hint = "the number client_id in the key file; once it is there, this shows it:\n     repatriate init --steps "
	file, ok := secretPath(job, job.Source.Google.Credentials)
	if !ok {
		return "the number client_id in the key file"
	}
	info, err := os.Stat(file)
	if err != nil || info.Size() > 1<<20 {
		return hint + shellWord(path)
	}
	key, err := os.ReadFile(file)
	if err != nil {
		return hint + shellWord(path)
	}
	id, err := clientIDOf(key)
	if err != nil {
		return fmt.Sprintf("not known: %s is %v", file, err)
	}
	return id
}

func writeMicrosoftSteps(b *strings.Builder, path string, job *config.Job, needs access) {
	m := job.Source.Microsoft
	fmt.Fprintf(b, `
At Microsoft, once, in the Microsoft Entra admin centre, https://entra.microsoft.com:

1. Under "Entra ID > App registrations" choose "New registration": any name, accounts in this
   organizational directory only, and as redirect URI "Web" with https://localhost – the consent in
   step 4 ends there, and nothing has to answer.
`)
	if m.ClientID == noClientID {
		fmt.Fprintf(b, "   Write the \"Application (client) ID\" of its overview as client_id into %s,\n"+
			"   and have these steps printed once more:\n     repatriate init --steps %s\n", path, shellWord(path))
	} else {
		fmt.Fprintf(b, "   Its \"Application (client) ID\" is that of the job file: %s\n", m.ClientID)
	}
	if m.Certificate != "" {
		fmt.Fprintf(b, "2. Under \"Certificates & secrets > Certificates\" upload the certificate without its key. Keep both\n     %s\n",
			whereToKeep(job, m.Certificate))
	} else {
		fmt.Fprintf(b, "2. Under \"Certificates & secrets > Client secrets\" make a client secret, and keep its value (not its\n   ID)\n     %s\n",
			whereToKeep(job, m.Secret))
	}
	fmt.Fprintf(b, `3. Under "API permissions > Add a permission > Microsoft Graph > Application permissions" add these;
   all of them only read:
     %s
   The delegated permission User.Read, which is there from the start, is not needed.
`, strings.Join(needs.permissions, ", "))
	consent := needs.consent
	if m.ClientID == noClientID {
		consent = strings.ReplaceAll(consent, noClientID, "CLIENT_ID")
	}
	fmt.Fprintf(b, `4. Consent, as a Privileged Role Administrator or Global Administrator: "Grant admin consent" on the
   same page, or this link:
     %s
`, consent)
}

func writeNextSteps(b *strings.Builder, path string, job *config.Job) {
	fmt.Fprintf(b, `
Then, on this machine:

  repatriate accounts %[1]s --output %[2]s
      lists the directory; keep whom you want to move, and name their accounts and passwords
  repatriate accounts check %[1]s
      looks whether that can be used
  repatriate check %[1]s
      asks the provider and the targets whether the migration can begin, and says what is missing
  repatriate plan %[1]s
      reads everything, writes nothing, and says what would be moved and lost, and what does not fit
`, shellWord(path), shellWord(job.AccountsPath()))
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./-]+$`)

// shellWord writes a path as one word of a command line (POSIX, XCU §2.2.2).
func shellWord(path string) string {
	if plainWord.MatchString(path) {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
