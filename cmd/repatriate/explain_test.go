package main

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"codeberg.org/repatriate/repatriate/docs"
	"codeberg.org/repatriate/repatriate/fault"
)

func TestExplain(t *testing.T) {
	p := ran(t, exitOK, "explain", "file.renamed", "Source.Malware")
	out := p.stdout.String()
	if i, j := strings.Index(out, "file.renamed\n  The file or folder has another name"), strings.Index(out, "source.malware\n"); i < 0 || j < i {
		t.Errorf("not in the order of the arguments: %s", out)
	}
	if !strings.Contains(out, "What to do: Look at it. At Google, acknowledge_abuse: true moves such files.") {
		t.Errorf("what to do is missing: %s", out)
	}
	all := ran(t, exitOK, "explain").stdout.String()
	for _, want := range []string{"The source\n===", "Losses of mail\n===", "\n" + string(fault.Unknown) + "\n", "task.recurrence\n"} {
		if !strings.Contains(all, want) {
			t.Errorf("the list lacks %q", want)
		}
	}
	for line := range strings.Lines(all) {
		if n := utf8.RuneCountInString(line); n > 101 {
			t.Errorf("%d columns: %s", n-1, line)
		}
	}
}

func TestExplainJSON(t *testing.T) {
	var all []map[string]string
	if err := json.Unmarshal(ran(t, exitOK, "explain", "--json").stdout.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != len(docs.ListReasons()) || len(all) < 90 {
		t.Fatalf("%d reasons", len(all))
	}
	for _, r := range all {
		for _, key := range []string{"reason", "section", "meaning", "action"} {
			if r[key] == "" || strings.Contains(r[key], "`") {
				t.Errorf("%s of %q is %q", key, r["reason"], r[key])
			}
		}
	}
}

func TestExplainSuggests(t *testing.T) {
	for name, want := range map[string]string{
		"source.malwear": "Did you mean source.malware?",
		"malware":        "Did you mean source.malware?",
		"throttled":      "Did you mean source.throttled, target.throttled?",
		"throtled":       "Did you mean source.throttled, target.throttled?",
		"mail.flg_lost":  "Did you mean mail.flag_lost?",
		"xyzzyplugh":     "there is no reason \"xyzzyplugh\". 'repatriate explain' lists all",
	} {
		p := ran(t, exitUsage, "explain", "file.renamed", name)
		if !strings.Contains(p.stderr.String(), want) || p.stdout.Len() > 0 {
			t.Errorf("%s: %s%s, want %s", name, p.stdout.String(), p.stderr.String(), want)
		}
	}
}
