package simulation

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
)

// Source is a simulated provider with what it holds.
type Source struct {
	// Name is the name of the job.
	Name    string
	handler http.Handler
	front   *cloudsim.Front
	people  []person
	// section returns the job file's section source for a provider at a root, and the files that it names.
	section func(root string) (text string, files map[string][]byte)
}

// Google is a Google Workspace organisation. tier is the job file's source.google.tier; empty: unlimited. The job keeps its quotas by
// the clock of those that the provider has.
func Google(data *google.Data, o google.Options, tier string) *Source {
	server := google.New(data, o)
	return &Source{Name: "google-workspace", handler: server, front: server.Front, people: googlePeople(data), section: func(root string) (string, map[string][]byte) {
		text := fmt.Sprintf("source: {google: {credentials: \"file:sa.json\", admin: %q, endpoint: %q, tier: %s, clock: %v}}\n",
			adminOf(data), root, cmp.Or(tier, "unlimited"), cmp.Or(o.Quotas.Speed, 1))
		return text, map[string][]byte{"sa.json": server.KeyFile(root)}
	}}
}

// Microsoft is a Microsoft 365 tenant. clock says how many times as fast the minutes pass by which the job keeps Microsoft's quotas; 0:
// it keeps none.
func Microsoft(data *microsoft.Data, o microsoft.Options, clock float64) *Source {
	server := microsoft.New(data, o)
	return &Source{Name: "microsoft-365", handler: server, front: server.Front, people: microsoftPeople(data), section: func(root string) (string, map[string][]byte) {
		text := fmt.Sprintf("source: {microsoft: {tenant: %q, client_id: %q, secret: \"file:client-secret\", endpoint: %q, login: %q, unlimited: %v, clock: %v}}\n",
			data.Domain(), microsoft.ClientID, root, root, clock == 0, clock)
		return text, map[string][]byte{"client-secret": []byte(microsoft.Secret + "\n")}
	}}
}

// googlePeople returns the organisation's users and shared drives.
func googlePeople(d *google.Data) []person {
	var people []person
	for _, u := range d.Users() {
		if u.Deleted {
			continue
		}
		p := personOf(u.Email)
		if p.out = u.Suspended; p.out {
			p.why = "suspended"
		}
		if u.NoMailbox {
			p.kinds = "files calendar contacts tasks"
		}
		people = append(people, p)
	}
	for _, drive := range d.SharedDrives() {
		people = append(people, person{source: "drive:" + drive, target: "shared-" + strings.ToLower(drive), kinds: "files"})
	}
	return people
}

func adminOf(d *google.Data) string {
	for _, u := range d.Users() {
		if u.Admin {
			return u.Email
		}
	}
	return "admin@" + d.Domain()
}

// microsoftPeople returns the tenant's users and document libraries.
func microsoftPeople(d *microsoft.Data) []person {
	var people []person
	for _, u := range d.Users() {
		p := personOf(u.Email)
		if p.out = u.Unlicensed; p.out {
			p.why = "unlicensed"
		}
		if u.NoMailbox {
			p.kinds = "files"
		}
		people = append(people, p)
	}
	for _, library := range d.Libraries() {
		people = append(people, person{source: "drive:" + library.Drive, target: "shared-" + strings.ToLower(library.Site), kinds: "files"})
	}
	return people
}
