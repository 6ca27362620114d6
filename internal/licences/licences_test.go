package licences

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/licences.md anew")

// permissive are the licences that may be built in, by words that stand in each and in none of those before it.
var permissive = []struct {
	name  string
	words []string
}{
	{"Apache-2.0", []string{"Apache License", "Version 2.0, January 2004"}},
	{"MPL-2.0", []string{"Mozilla Public License Version 2.0"}},
	{"BSD-3-Clause", []string{"Redistribution and use in source and binary forms", "Neither the name"}},
	{"BSD-3-Clause", []string{"Redistribution and use in source and binary forms", "may not be used to endorse"}},
	{"BSD-2-Clause", []string{"Redistribution and use in source and binary forms"}},
	{"MIT", []string{"Permission is hereby granted, free of charge", "The above copyright notice and this permission notice"}},
	{"ISC", []string{"Permission to use, copy, modify, and/or distribute this software for any purpose"}},
}

var (
	licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying)(\.(md|txt))?$`)
	// restrictive are words of licences that ask more of who passes the program on.
	restrictive = regexp.MustCompile(`(?i)GNU (LESSER |AFFERO )?GENERAL PUBLIC LICENSE|Server Side Public License|Business Source License|Commons Clause`)
)

// licenceOf names the licence of the module in a folder; empty if it is not known to be permissive.
func licenceOf(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		if !licenceFile.MatchString(e.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return "", err
		}
		return named(string(text)), nil
	}
	return "", nil
}

func named(text string) string {
	words := strings.Join(strings.Fields(text), " ")
	if restrictive.MatchString(words) && !strings.Contains(words, "Mozilla Public License") { // the MPL names the GPL as an alternative
		return ""
	}
	for _, p := range permissive {
		if !slices.ContainsFunc(p.words, func(w string) bool { return !strings.Contains(words, w) }) {
			return p.name
		}
	}
	return ""
}

// TestLicences reads the licence of each module of which a package is built into the program.
func TestLicences(t *testing.T) {
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}", "./cmd/repatriate")
	list.Dir = "../.."
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(lines)
	var b strings.Builder
	b.WriteString("# What is built in\n\nThe modules of which a package is built into repatriate, and their licences, all of them permissive. `make licences` writes this list;\n" +
		"a test refuses a module whose licence it does not know. Go itself is under BSD-3-Clause. The names of Windows' time zones are from\n" +
		"Unicode's CLDR, under the Unicode License v3.\n\n| module | version | licence |\n|---|---|---|\n")
	n := 0
	for _, line := range slices.Compact(lines) {
		part := strings.SplitN(line, " ", 3)
		if len(part) != 3 {
			continue
		}
		licence, err := licenceOf(part[2])
		if err != nil || licence == "" {
			t.Errorf("%s %s: no licence that is known to be permissive in %s (%v)", part[0], part[1], part[2], err)
		}
		n++
		fmt.Fprintf(&b, "| %s | %s | %s |\n", part[0], part[1], licence)
	}
	if n < 20 {
		t.Fatalf("only %d modules in %q", n, out)
	}
	const path = "../../docs/licences.md"
	if *update && !t.Failed() {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != b.String() {
		t.Errorf("docs/licences.md is not what go.mod says; make licences writes it anew (%v)", err)
	}
}

func TestNamed(t *testing.T) {
	const bsd = "Redistribution and use in source and binary forms, with or without\nmodification"
	for text, want := range map[string]string{
		"Apache License\n  Version 2.0, January 2004": "Apache-2.0",
		bsd + " Neither the name of":                  "BSD-3-Clause",
		bsd:                                           "BSD-2-Clause",
		"GNU AFFERO GENERAL PUBLIC LICENSE Version 3":                      "",
		"GNU GENERAL PUBLIC LICENSE " + bsd:                                "",
		"Apache License Version 2.0, January 2004 with the Commons Clause": "",
		"All rights reserved.":                                             "",
		"Mozilla Public License Version 2.0 … GNU General Public License":  "MPL-2.0",
	} {
		if got := named(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
