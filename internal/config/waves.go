package config

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/sheet"
)

// WavesPath returns the usual place of the job's wave plan: beside the job file, called after the job.
func (j *Job) WavesPath() string { return j.path(j.Job + "-waves.csv") }

// WaveAccount is an account of a wave, with those of its kinds that the wave moves.
type WaveAccount struct {
	Source string
	Kinds  []string
}

// Wave reads the wave plan at a path and returns the job's accounts that the wave moves, each once. A plan is CSV with a header that has
// the columns wave and account, in any of the forms in which an accounts file is read. If it has the column kinds as well, the wave moves
// these kinds of the account; all of the account's where it is empty.
func (j *Job) Wave(path, wave string) (accounts []WaveAccount, err error) {
	text, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("the wave plan: %w; 'repatriate plan --waves' writes one, and --waves names another file", err)
	}
	entries, err := readWaves(path, text)
	if err != nil {
		return nil, err
	}
	people := make(map[string]Account, len(j.People))
	for _, a := range j.People {
		people[strings.ToLower(a.Source)] = a
	}
	f, at := &findings{path: path}, map[string]int{}
	for _, e := range entries {
		a, known := people[strings.ToLower(e.account)]
		switch {
		case !strings.EqualFold(e.wave, wave):
			continue
		case !known:
			f.say(e.line, "%q is in wave %s, and does not stand in %s", e.account, e.wave, j.Accounts)
			continue
		}
		i, twice := at[a.Source]
		if !twice {
			i, at[a.Source] = len(accounts), len(accounts)
			accounts = append(accounts, WaveAccount{Source: a.Source})
		}
		accounts[i].add(f, e, a.Kinds)
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	if len(accounts) == 0 {
		return nil, fmt.Errorf("%s: there is no wave %q; %s", path, wave, wavesThereAre(namesOf(entries)))
	}
	return accounts, nil
}

// add adds the kinds of a line of the wave plan. own are those that the job moves of the account.
func (a *WaveAccount) add(f *findings, e waveEntry, own []string) {
	kinds := e.kinds
	if len(kinds) == 0 {
		kinds = own
	}
	for _, k := range kinds {
		switch {
		case !slices.Contains(Kinds, k):
			f.say(e.line, "there is no kind %q; the kinds are %s", k, strings.Join(Kinds, ", "))
		case !slices.Contains(own, k):
			f.say(e.line, "the job does not move the kind %s of %s: see kinds in the accounts file and in the job file", k, e.account)
		case !slices.Contains(a.Kinds, k):
			a.Kinds = append(a.Kinds, k)
		}
	}
}

// mostNamed bounds the waves that a message lists.
const mostNamed = 20

// WaveNames returns the waves of a wave plan in the order of its lines.
func WaveNames(path string) (names []string, err error) {
	text, err := read(path)
	if err != nil {
		return nil, err
	}
	entries, err := readWaves(path, text)
	return namesOf(entries), err
}

func namesOf(entries []waveEntry) (names []string) {
	for _, e := range entries {
		if !slices.Contains(names, e.wave) {
			names = append(names, e.wave)
		}
	}
	return names
}

func wavesThereAre(names []string) string {
	if len(names) == 0 {
		return "it holds none"
	}
	more := ""
	if len(names) > mostNamed {
		names, more = names[:mostNamed], fmt.Sprintf(" and %d more", len(names)-mostNamed)
	}
	return "it has " + strings.Join(names, ", ") + more
}

type waveEntry struct {
	wave, account string
	kinds         []string
	line          int
}

func readWaves(path string, text []byte) (entries []waveEntry, err error) {
	r := &accountsReader{findings: findings{path: path}}
	text, ok := r.decode(text)
	if !ok {
		return nil, r.err()
	}
	lines, at, err := waveColumns(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for {
		fields, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return entries, r.err()
		}
		if err != nil {
			r.unreadable(err)
			continue
		}
		line, _ := lines.FieldPos(0)
		if len(fields) <= max(at.wave, at.account) {
			r.say(line, "lacks a wave or an account")
			continue
		}
		e := waveEntry{wave: strings.TrimSpace(fields[at.wave]), account: sheet.Plain(strings.TrimSpace(fields[at.account])), line: line}
		if at.kinds >= 0 && at.kinds < len(fields) {
			e.kinds = strings.Fields(fields[at.kinds])
		}
		if e.wave != "" && e.account != "" {
			entries = append(entries, e)
		}
	}
}

// waveAt is where the columns are; below 0: nowhere.
type waveAt struct{ wave, account, kinds int }

// waveColumns finds the separator by which the header has the columns that are needed.
func waveColumns(text []byte) (lines *csv.Reader, at waveAt, err error) {
	for _, s := range separators {
		lines = csv.NewReader(bytes.NewReader(text))
		lines.Comma, lines.Comment, lines.FieldsPerRecord = s.char, '#', -1
		header, err := lines.Read()
		if err != nil {
			continue
		}
		for i := range header {
			header[i] = columnName(header[i])
		}
		at = waveAt{slices.Index(header, "wave"), slices.Index(header, "account"), slices.Index(header, "kinds")}
		if at.wave >= 0 && at.account >= 0 {
			return lines, at, nil
		}
	}
	return nil, at, errors.New("a wave plan has a header line with the columns wave and account")
}
