package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// foreign says what a file is that is no job file, and what to give instead; nil if it may be one. It shows nothing of the file: that may
// be a password.
func foreign(path string, text []byte) error {
	what, where := "", ""
	switch csv := csvColumns(text); {
	case len(bytes.TrimSpace(text)) == 0:
		what = "an empty one"
	case bytes.HasPrefix(text, []byte("SQLite format 3\x00")):
		what, where = "a state file", "it is named in the job file: state: "+filepath.Base(path)
	case isKey(text):
		what, where = "the key of a service account", "it is named in the job file: credentials: file:"+filepath.Base(path)
	case bytes.HasPrefix(bytes.TrimSpace(text), []byte("-----BEGIN ")):
		what, where = "a key or a certificate", "it is named in the job file"
	case slices.Contains(csv, "source") && slices.Contains(csv, "target"):
		what, where = "an accounts file", "it is named in the job file: accounts: "+filepath.Base(path)
	case slices.Contains(csv, "wave") && slices.Contains(csv, "account"):
		what, where = "a wave plan", "it goes with --waves"
	case !looksLikeJob.Match(text):
		what, where = "something else, without its keys (job, source, target, accounts)", "a job file is what 'repatriate init' writes"
	default:
		return nil
	}
	if where != "" {
		where = "; " + where
	}
	return fmt.Errorf("%s is no job file, but %s%s%s", path, what, where, jobBeside(path))
}

// looksLikeJob finds one of the keys that a job file must have, in a block or in a flow mapping.
var looksLikeJob = regexp.MustCompile(`(?m)(^|[{,])\s*["']?(job|source|target|accounts)["']?\s*:`)

// isKey reports whether the text is a service account's key, as Google's console gives it.
func isKey(text []byte) bool {
	var key struct {
		Type       string `json:"type"`
		PrivateKey string `json:"private_key"`
		Email      string `json:"client_email"`
	}
	return json.Unmarshal(text, &key) == nil && (key.Type == "service_account" || key.PrivateKey != "" || key.Email != "")
}

// csvColumns are those of the header line of a CSV file, in any form in which an accounts file is read.
func csvColumns(text []byte) (names []string) {
	r := &accountsReader{}
	decoded, ok := r.decode(text)
	if !ok {
		return nil
	}
	for _, name := range strings.Split(headerLine(decoded), string(r.separator(decoded))) {
		names = append(names, columnName(name))
	}
	return names
}

// jobBeside names the job file in the folder of a file, if there is one alone.
func jobBeside(path string) string {
	for _, pattern := range []string{"job.yaml", "*.yaml", "*.yml"} {
		found, err := filepath.Glob(filepath.Join(filepath.Dir(path), pattern))
		if err == nil && len(found) == 1 && found[0] != path {
			return "; do you mean " + found[0] + "?"
		}
	}
	return ""
}

// isMapping reports whether a document has keys at all.
func isMapping(doc *ast.File) bool {
	for _, d := range doc.Docs {
		switch d.Body.(type) {
		case *ast.MappingNode, *ast.MappingValueNode, nil:
		default:
			return false
		}
	}
	return true
}
