package microsoft

import (
	"fmt"
	"net/url"
	"slices"
)

// needs are methods that stand for the permissions of each kind; those of the first are what every job needs.
var needs = []struct {
	kind    string
	methods []method
}{
	{"", []method{listUsers, userPurposes}},
	{"mail", []method{messageDelta}},
	{"calendar", []method{listEvents, mailboxZone}},
	{"contacts", []method{contactDelta}},
	{"tasks", []method{taskDelta, mailboxZone}},
	{"files", []method{getDrive, listSites}},
}

// PermissionsOf returns the application permissions of Microsoft Graph that a job of these kinds needs, with an administrator's
// consent. All of them only read.
func PermissionsOf(kinds []string) []string {
	var permissions []string
	for _, n := range needs {
		if n.kind != "" && !slices.Contains(kinds, n.kind) {
			continue
		}
		for _, m := range n.methods {
			if !slices.Contains(permissions, m.permission) {
				permissions = append(permissions, m.permission)
			}
		}
	}
	return permissions
}

// ConsentURL returns where an administrator of the tenant consents to an application's permissions
// (learn.microsoft.com/entra/identity-platform/v2-admin-consent; the form without v2.0 takes those of the registration). The cloud
// is one of Options.Cloud.
func ConsentURL(cloud, tenant, clientID string) (string, error) {
	place, ok := clouds[cloud]
	if !ok {
		return "", fmt.Errorf("cloud %q is none of global, us, us-dod, china", cloud)
	}
	return place[1] + "/" + escapeSegment(tenant) + "/adminconsent?" + url.Values{"client_id": {clientID}}.Encode(), nil
}
