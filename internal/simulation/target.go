package simulation

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/goccy/go-yaml"
)

// ReadTarget reads a file that says where the simulated organisation is to go instead of the embedded servers: a YAML
// document like a job file of which the section target and the accounts file count. It returns what Options take.
func ReadTarget(path string) (target, accounts string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", "", err
	}
	var doc struct {
		Target   map[string]any `yaml:"target"`
		Accounts string         `yaml:"accounts"`
	}
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return "", "", fmt.Errorf("%s: %w", path, err)
	}
	if len(doc.Target) == 0 || doc.Accounts == "" {
		return "", "", fmt.Errorf("%s: %w", path, errors.New("give both target and accounts"))
	}
	section, err := yaml.Marshal(map[string]any{"target": doc.Target})
	if err != nil {
		return "", "", err
	}
	if !filepath.IsAbs(doc.Accounts) {
		doc.Accounts = filepath.Join(filepath.Dir(path), doc.Accounts)
	}
	list, err := os.ReadFile(doc.Accounts)
	return string(section), string(list), err
}
