package simulation

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/secret"
)

// ReadTarget reads a file that says where the simulated organisation is to go instead of the embedded servers: a YAML
// document like a job file of which target, insecure and the accounts file count. It returns what Options take. Paths and secrets that count
// from the file's folder are made such that they mean the same in the simulation's.
func ReadTarget(path string) (target, accounts string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", "", err
	}
	var doc struct {
		Target   map[string]any `yaml:"target"`
		Accounts string         `yaml:"accounts"`
		Insecure bool           `yaml:"insecure,omitempty"`
	}
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return "", "", fmt.Errorf("%s: %w", path, err)
	}
	if len(doc.Target) == 0 || doc.Accounts == "" {
		return "", "", fmt.Errorf("%s: %w", path, errors.New("give both target and accounts"))
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return "", "", err
	}
	fromDir(doc.Target, dir)
	section := map[string]any{"target": doc.Target}
	if doc.Insecure {
		section["insecure"] = true
	}
	written, err := yaml.Marshal(section)
	if err != nil {
		return "", "", err
	}
	accounts, err = readAccounts(inDir(dir, doc.Accounts), dir)
	return string(written), accounts, err
}

// fromDir has what a section of the target names in dir named from anywhere.
func fromDir(section map[string]any, dir string) {
	for key, value := range section {
		switch v := value.(type) {
		case map[string]any:
			fromDir(v, dir)
		case string:
			switch key {
			case "ca":
				section[key] = inDir(dir, v)
			case "password":
				section[key] = secret.From(v, dir)
			}
		}
	}
}

func inDir(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// readAccounts writes an accounts file anew, with secrets that may be read from anywhere.
func readAccounts(path, dir string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	people, err := config.ParseAccounts(path, text)
	if err != nil {
		return "", err
	}
	header := []string{"source", "target", "password", "kinds"}
	own := slices.ContainsFunc(people, func(a config.Account) bool { return len(a.Own) > 0 })
	if own {
		for _, kind := range config.Kinds {
			header = append(header, config.TargetColumn(kind), config.PasswordColumn(kind))
		}
	}
	lines := [][]string{header}
	for _, a := range people {
		line := []string{a.Source, a.Target, secret.From(a.Password, dir), strings.Join(a.Kinds, " ")}
		for _, kind := range config.Kinds {
			if own {
				line = append(line, a.Own[kind].Target, secret.From(a.Own[kind].Password, dir))
			}
		}
		lines = append(lines, line)
	}
	var b strings.Builder
	err = csv.NewWriter(&b).WriteAll(lines)
	return b.String(), err
}
