package config

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// WavesPath returns the usual place of the job's wave plan: beside the job file, called after the job.
func (j *Job) WavesPath() string { return j.path(j.Job + "-waves.csv") }

// Wave reads the wave plan at a path and returns the job's accounts that the wave moves, each once. A plan is CSV with a header that has
// the columns wave and account, in any of the forms in which an accounts file is read.
func (j *Job) Wave(path, wave string) (accounts []string, err error) {
	text, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("the wave plan: %w; 'repatriate plan --waves' writes one, and --waves names another file", err)
	}
	entries, err := readWaves(path, text)
	if err != nil {
		return nil, err
	}
	bySource := make(map[string]string, len(j.People)) // those that are still to be found
	for _, a := range j.People {
		bySource[strings.ToLower(a.Source)] = a.Source
	}
	var names []string
	f := &findings{path: path}
	for _, e := range entries {
		if !slices.Contains(names, e.wave) {
			names = append(names, e.wave)
		}
		if !strings.EqualFold(e.wave, wave) {
			continue
		}
		switch source, known := bySource[strings.ToLower(e.account)]; {
		case !known:
			f.say(e.line, "%q is in wave %s, and does not stand in %s", e.account, e.wave, j.Accounts)
		case source != "":
			accounts = append(accounts, source)
			bySource[strings.ToLower(e.account)] = ""
		}
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	if len(accounts) == 0 {
		return nil, fmt.Errorf("%s: there is no wave %q; %s", path, wave, wavesThereAre(names))
	}
	return accounts, nil
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
	for _, e := range entries {
		if !slices.Contains(names, e.wave) {
			names = append(names, e.wave)
		}
	}
	return names, err
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
	line          int
}

func readWaves(path string, text []byte) (entries []waveEntry, err error) {
	r := &accountsReader{findings: findings{path: path}}
	text, ok := r.decode(text)
	if !ok {
		return nil, r.err()
	}
	lines, waveAt, accountAt, err := waveColumns(text)
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
		if len(fields) <= max(waveAt, accountAt) {
			r.say(line, "lacks a wave or an account")
			continue
		}
		e := waveEntry{strings.TrimSpace(fields[waveAt]), unguarded(strings.TrimSpace(fields[accountAt])), line}
		if e.wave != "" && e.account != "" {
			entries = append(entries, e)
		}
	}
}

// waveColumns finds the separator by which the header has both columns.
func waveColumns(text []byte) (lines *csv.Reader, wave, account int, err error) {
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
		wave, account = slices.Index(header, "wave"), slices.Index(header, "account")
		if wave >= 0 && account >= 0 {
			return lines, wave, account, nil
		}
	}
	return nil, 0, 0, errors.New("a wave plan has a header line with the columns wave and account")
}

// unguarded takes away the apostrophe that keeps a spreadsheet from taking a text for a formula.
func unguarded(text string) string {
	if len(text) > 1 && text[0] == '\'' && strings.ContainsRune("=+-@\t\r", rune(text[1])) {
		return text[1:]
	}
	return text
}
