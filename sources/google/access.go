package google

import "slices"

// Scopes returns the OAuth scopes that domain-wide delegation must grant for everything that this package reads.
func Scopes() []string {
	var scopes []string
	for _, s := range services {
		scopes = append(scopes, s.scope)
	}
	return scopes
}

// ScopesOf returns the OAuth scopes that domain-wide delegation must grant for a job of these kinds; others says that it moves
// other contacts, too.
func ScopesOf(kinds []string, others bool) []string {
	var scopes []string
	for _, a := range apisOf(kinds, others) {
		scopes = append(scopes, services[a].scope)
	}
	return scopes
}

// LibrariesOf returns the names of the APIs to switch on in the Cloud project for a job of these kinds, as the console has them.
func LibrariesOf(kinds []string) []string {
	var names []string
	for _, a := range apisOf(kinds, false) {
		names = append(names, services[a].library)
	}
	return names
}

func apisOf(kinds []string, others bool) []api {
	var needed []api
	for i, s := range services {
		a := api(i)
		if (s.kind == "" || slices.Contains(kinds, s.kind)) && (a != otherContactsAPI || others) {
			needed = append(needed, a)
		}
	}
	return needed
}

// ClientIDOf returns the number under which the Admin console knows the service account of a key file. An error says what is
// wrong with the file, and nothing of what is in it.
func ClientIDOf(key []byte) (string, error) {
	k, err := parseKey(key)
	return k.clientID, err
}
