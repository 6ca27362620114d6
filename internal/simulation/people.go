package simulation

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/embedded"
)

// person is one line of the accounts file.
type person struct {
	source, target, kinds string
	// out says that the account is listed, but left out of the job, and why.
	out bool
	why string
}

func personOf(email string) person {
	local, _, _ := strings.Cut(email, "@")
	return person{source: email, target: local}
}

func (p person) passwordFile() string { return "password-" + p.target }

// password returns the account's password on the embedded servers: the same each time, and of use nowhere else.
func password(p person) string {
	sum := sha256.Sum256([]byte("simulation " + p.target))
	return hex.EncodeToString(sum[:8])
}

func users(people []person) []embedded.User {
	var out []embedded.User
	for _, p := range people {
		out = append(out, embedded.User{Name: p.target, Password: password(p)})
	}
	return out
}

func accountsFile(people []person) string {
	var b strings.Builder
	b.WriteString("source,target,password,kinds\n")
	for _, p := range people {
		mark := ""
		if p.out {
			mark = "# " + p.why + ": "
		}
		fmt.Fprintf(&b, "%s%s,%s,file:%s,%s\n", mark, p.source, p.target, p.passwordFile(), p.kinds)
	}
	return b.String()
}

// Users returns the names of the accounts on the embedded servers.
func (s *Simulation) Users() []string { return s.users }
