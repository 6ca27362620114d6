package main

import (
	"fmt"
	"slices"

	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/sources/google"
	"codeberg.org/repatriate/repatriate/sources/microsoft"
)

// access is what an administrator has to grant at the provider for a job.
type access struct {
	// scopes are Google's OAuth scopes, libraries the APIs of the Cloud project; permissions are those of Microsoft Graph.
	scopes, libraries, permissions []string
	// consent is where an administrator of the tenant consents.
	consent string
}

// accessOf returns what a job needs, and nothing beyond.
func accessOf(job *config.Job) (access, error) {
	if g := job.Source.Google; g != nil {
		libraries := google.LibrariesOf(job.Kinds)
		slices.Sort(libraries)
		return access{scopes: google.ScopesOf(job.Kinds, g.OtherContacts), libraries: libraries}, nil
	}
	m := job.Source.Microsoft
	consent, err := microsoft.ConsentURL(m.Cloud, m.Tenant, m.ClientID)
	if err != nil {
		return access{}, fmt.Errorf("source.microsoft.cloud: %w", err)
	}
	return access{permissions: microsoft.PermissionsOf(job.Kinds), consent: consent}, nil
}

// clientIDOf returns the number under which Google's Admin console knows the service account of a key file.
func clientIDOf(key []byte) (string, error) { return google.ClientIDOf(key) }
