package deltamodel

import (
	"context"
	"os"
	"path/filepath"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/internal/embedded"
	"codeberg.org/repatriate/repatriate/mapping"
	"codeberg.org/repatriate/repatriate/sinks/webdav"
	"codeberg.org/repatriate/repatriate/sources"
)

// provider is a drive at a simulated provider. An edit that the provider does not know is nil.
type provider struct {
	open        func() sources.Source[sources.File]
	add         func(parent, name, body string, folder bool) string
	rename      func(id, name string)
	move        func(id, parent string)
	edit        func(id, body string)
	trash       func(id string)
	restore     func(id string)
	erase       func(id string)
	addOrphan   func(name, body string, folder bool) string
	moveAway    func(id string) // into a folder of somebody else
	expire      func()
	names       map[string]string // of the provider, and what the target makes of them
	uniqueNames bool              // siblings have different names, whatever their case
}

// driveAccount is a drive with its model.
type driveAccount struct {
	provider
	treeModel
	b      *bench
	files  *embedded.Files
	serial int
}

// newDrive opens the target for a drive.
func newDrive(b *bench, p provider) world {
	a := &driveAccount{provider: p, b: b}
	a.target, a.keep = p.names, !b.propagate
	a.files = value(embedded.StartFiles(filepath.Join(b.dir, "files"), []embedded.User{{Name: owner, Password: password}}))
	b.atEnd(func() { _ = a.files.Close() })
	return world{account: a, model: a, pass: passOver(b, "files", oneCollection("drive", p.open), a.deliver)}
}

func (a *driveAccount) expire(*dice) { a.provider.expire() }

func (a *driveAccount) passed(whole bool) {
	if whole {
		a.settled()
	}
}

func (a *driveAccount) live() (n map[string]int) {
	n = map[string]int{"drive": 0}
	for _, x := range a.nodes {
		if x.live() {
			n["drive"]++
		}
	}
	return n
}

// most: a token, the position, the changes; what the target is and that its top is there.
func (a *driveAccount) most() int { return 8 }

func (a *driveAccount) deliver(ctx context.Context, c opened[sources.File], l checkpoint.Ledger) error {
	sink, err := webdav.Open(ctx, webdav.Options{URL: a.files.UserURL(owner), User: owner, Password: password, Transport: a.b.toTarget()})
	if err != nil {
		return err
	}
	defer func() { _ = sink.Close() }()
	rules := mapping.FileRules{}
	return engine.NewFiles(c.source, rules.File, rules.Name, sink, a.b.options()).Run(ctx, l)
}

func (a *driveAccount) differences() []string {
	bodies := map[string]string{}
	for _, f := range value(a.files.List(owner)) {
		if f.Folder {
			bodies[f.Path+"/"] = ""
		} else {
			bodies[f.Path] = string(value(os.ReadFile(filepath.Join(a.files.Dir(owner), filepath.FromSlash(f.Path)))))
		}
	}
	return a.expected().differences(entriesOf(bodies))
}
