// Package winzone finds the IANA time zone for the name that Windows and Exchange give it, by Unicode CLDR's table.
package winzone

import (
	_ "embed"
	"strings"
	"sync"
	"time"
)

//go:embed zones.txt
var table string

// zones maps the names of Windows, in lower case.
var zones = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(table) {
		if windows, iana, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			m[strings.ToLower(windows)] = iana
		}
	}
	return m
})

// maxName bounds the names that are looked up.
const maxName = 100

// IANA returns the name of the zone in the IANA database. name is one of Windows ("W. Europe Standard Time", in any case), or one of
// that database already. ok is false for everything else, such as "Customized Time Zone" and tzone://Microsoft/Custom: what such
// a zone means only its mailbox knows.
func IANA(name string) (zone string, ok bool) {
	name = strings.TrimSpace(name)
	if strings.EqualFold(name, "tzone://Microsoft/Utc") {
		return "Etc/UTC", true
	}
	if zone, ok := zones()[strings.ToLower(name)]; ok {
		return zone, true
	}
	if name == "" || len(name) > maxName || strings.EqualFold(name, "Local") {
		return "", false
	}
	if _, err := time.LoadLocation(name); err != nil {
		return "", false
	}
	return name, true
}
