package modeltest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/internal/embedded"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/mapping"
	"codeberg.org/repatriate/repatriate/sinks/webdav"
	"codeberg.org/repatriate/repatriate/sources"
)

const (
	alice = "alice@example.org"
	bob   = "bob@example.org"
)

// target is the account on the target.
var target = embedded.User{Name: "alice", Password: "secret"}

// provider is a drive at a simulated provider. An edit that the provider does not know is nil.
type provider struct {
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
	open        func(next http.RoundTripper) sources.Source[sources.File]
	problems    func() []string
	close       func()
	noisy       func(r *http.Request) bool
	names       map[string]string // of the provider, and what the target makes of them
	uniqueNames bool              // siblings have different names, whatever their case
}

// driveAccount is a drive with its model.
type driveAccount struct {
	provider
	treeModel
	setting setting
	wire    *wire
	files   *embedded.Files
	http    *http.Transport
	serial  int
}

// newDrive opens the target for a drive.
func newDrive(dir string, s setting, w *wire, p provider) *driveAccount {
	a := &driveAccount{provider: p, setting: s, wire: w, http: httpx.NewTransport()}
	a.target, a.keep = p.names, !s.propagate
	a.files = value(embedded.StartFiles(filepath.Join(dir, "files"), []embedded.User{target}))
	return a
}

func (a *driveAccount) close() {
	a.http.CloseIdleConnections()
	a.provider.close()
	_ = a.files.Close()
}

func (a *driveAccount) expire()   { a.provider.expire() }
func (a *driveAccount) passed()   { a.settled() }
func (a *driveAccount) live() int { return a.treeModel.live() }

// most: a token, the position, the changes; what the target is and that its top is there.
func (a *driveAccount) most() int64 { return 8 }

func (a *driveAccount) run(ctx context.Context, s checkpoint.Store, o engine.Options) error {
	ledger, err := s.Begin(ctx, checkpoint.Task{Account: alice, Kind: "files", Collection: "drive"}, "Drive")
	if err != nil {
		return err
	}
	way := a.wire.around(a.http)
	if a.setting.noisy {
		way = a.wire.noise(uint64(a.wire.requests.Load()), a.noisy, way)
	}
	sink, err := webdav.Open(ctx, webdav.Options{URL: a.files.UserURL(target.Name), User: target.Name, Password: target.Password,
		Transport: a.wire.toTarget(a.http)})
	if err != nil {
		return err
	}
	defer func() { _ = sink.Close() }()
	rules := mapping.FileRules{}
	return engine.NewFiles(a.open(way), rules.File, rules.Name, sink, o).Run(ctx, ledger)
}

func (a *driveAccount) differences() []string {
	bodies := map[string]string{}
	for _, f := range value(a.files.List(target.Name)) {
		if f.Folder {
			bodies[f.Path+"/"] = ""
		} else {
			bodies[f.Path] = string(value(os.ReadFile(filepath.Join(a.files.Dir(target.Name), filepath.FromSlash(f.Path)))))
		}
	}
	return append(a.expected().differences(entriesOf(bodies)), a.problems()...)
}

// text returns a body that no other file has, most of the time.
func (a *driveAccount) text(d *dice) string {
	a.serial++
	switch d.IntN(12) {
	case 0:
		return ""
	case 1:
		return "the same"
	default:
		return fmt.Sprintf("text %d %s", a.serial, strings.Repeat(".", d.IntN(50)))
	}
}

// some returns a node of which the condition holds.
func (a *driveAccount) some(d *dice, condition func(*node) bool) (*node, bool) {
	var found []*node
	for _, n := range a.nodes {
		if condition(n) {
			found = append(found, n)
		}
	}
	return pick(d, found)
}

// someFolder returns a live folder, or nil for the top.
func (a *driveAccount) someFolder(d *dice, outside *node) *node {
	if d.chance(4) {
		return nil
	}
	n, _ := a.some(d, func(n *node) bool { return n.folder && n.live() && (outside == nil || !n.in(outside)) })
	return n
}

// someName returns a name, and whether it may stand in the folder.
func (a *driveAccount) someName(d *dice, in, but *node) (string, bool) {
	names := []string{"a", "b", "c", "report.txt", "x.tar.gz", "A", "Report.TXT", "ä.txt", "long name of many words.pdf"}
	for name := range a.names {
		names = append(names, name)
	}
	// Maps have no order, and plans need one.
	name := names[d.IntN(9)]
	if len(a.names) > 0 && d.chance(5) {
		sortStrings(names)
		name = names[d.IntN(len(names))]
	}
	return name, a.free(name, in, but)
}

// free reports whether a live sibling, but for one, has no such name.
func (a *driveAccount) free(name string, in, but *node) bool {
	if !a.uniqueNames {
		return true
	}
	_, taken := a.some(newDice(0), func(n *node) bool {
		return n != but && n.live() && !n.orphan && n.parent == in && strings.EqualFold(n.name, name)
	})
	return !taken
}

func id(n *node) string {
	if n == nil {
		return ""
	}
	return n.id
}

func (n *node) String() string {
	if n == nil {
		return "the top"
	}
	kind := "file"
	if n.folder {
		kind = "folder"
	}
	return fmt.Sprintf("%s %q (…%s)", kind, n.name, n.id[max(0, len(n.id)-4):])
}

// edit implements account.
func (a *driveAccount) edit(d *dice) string {
	edits := []func(*dice) string{
		a.addOne, a.addOne, a.addOne, a.addTree, a.renameOne, a.renameOne, a.moveOne, a.moveOne, a.moveOne, a.moveFolder, a.editOne, a.editOne,
		a.trashOne, a.restoreOne, a.restoreOne, a.eraseOne, a.swapNames, a.swapPlaces, a.orphanOne, a.awayOne,
	}
	return edits[d.IntN(len(edits))](d)
}

func (a *driveAccount) add(d *dice, in *node, folder bool) string {
	name, free := a.someName(d, in, nil)
	if !free {
		return ""
	}
	n := &node{name: name, folder: folder, parent: in}
	if !folder {
		n.body = a.text(d)
	}
	n.id = a.provider.add(id(in), name, n.body, folder)
	a.nodes = append(a.nodes, n)
	return fmt.Sprintf("add %v in %v", n, in)
}

func (a *driveAccount) addOne(d *dice) string { return a.add(d, a.someFolder(d, nil), d.chance(3)) }

// addTree adds a folder with something in it.
func (a *driveAccount) addTree(d *dice) string {
	did := a.add(d, a.someFolder(d, nil), true)
	if did == "" {
		return ""
	}
	top := a.nodes[len(a.nodes)-1]
	for n := d.IntN(4); n > 0; n-- {
		in := top
		if last := a.nodes[len(a.nodes)-1]; last.folder {
			in = last
		}
		if more := a.add(d, in, d.chance(2)); more != "" {
			did += ", " + more
		}
	}
	return did
}

func isLive(n *node) bool { return n.live() }

func (a *driveAccount) renameOne(d *dice) string {
	n, ok := a.some(d, isLive)
	if !ok {
		return ""
	}
	name, free := a.someName(d, n.parent, n)
	if !free || name == n.name {
		return ""
	}
	did := fmt.Sprintf("rename %v to %q", n, name)
	a.rename(n.id, name)
	n.name = name
	return did
}

func (a *driveAccount) moveOne(d *dice) string {
	n, ok := a.some(d, isLive)
	if !ok {
		return ""
	}
	return a.moveTo(n, a.someFolder(d, n))
}

func (a *driveAccount) moveFolder(d *dice) string {
	n, ok := a.some(d, func(n *node) bool { return n.live() && n.folder })
	if !ok {
		return ""
	}
	return a.moveTo(n, a.someFolder(d, n))
}

func (a *driveAccount) moveTo(n, in *node) string {
	if n.parent == in && !n.orphan || !a.free(n.name, in, n) {
		return ""
	}
	a.move(n.id, id(in))
	n.parent, n.orphan = in, false
	return fmt.Sprintf("move %v into %v", n, in)
}

func (a *driveAccount) editOne(d *dice) string {
	n, ok := a.some(d, func(n *node) bool { return n.live() && !n.folder })
	if !ok {
		return ""
	}
	n.body = a.text(d)
	a.provider.edit(n.id, n.body)
	return fmt.Sprintf("edit %v", n)
}

func (a *driveAccount) trashOne(d *dice) string {
	n, ok := a.some(d, isLive)
	if !ok {
		return ""
	}
	a.trash(n.id)
	n.trashed = true
	return fmt.Sprintf("trash %v", n)
}

func (a *driveAccount) restoreOne(d *dice) string {
	if a.restore == nil {
		return ""
	}
	n, ok := a.some(d, func(n *node) bool { return n.trashed && !n.erased && (n.parent == nil || n.parent.live()) })
	if !ok || !a.free(n.name, n.parent, n) {
		return ""
	}
	a.restore(n.id)
	n.trashed = false
	return fmt.Sprintf("restore %v", n)
}

func (a *driveAccount) eraseOne(d *dice) string {
	n, ok := a.some(d, func(n *node) bool { return (n.live() || n.trashed && !a.uniqueNames) && !n.erased && !inErased(n) })
	if !ok || !d.chance(2) {
		return ""
	}
	a.erase(n.id)
	n.erased = true
	return fmt.Sprintf("erase %v", n)
}

func inErased(n *node) bool {
	for at := n; at != nil; at = at.parent {
		if at.erased {
			return true
		}
	}
	return false
}

// swapNames has two siblings change their names.
func (a *driveAccount) swapNames(d *dice) string {
	n, ok := a.some(d, isLive)
	if !ok {
		return ""
	}
	other, ok := a.some(d, func(x *node) bool {
		return x != n && x.live() && x.parent == n.parent && x.orphan == n.orphan && !strings.EqualFold(x.name, n.name)
	})
	if !ok {
		return ""
	}
	did := fmt.Sprintf("%v and %v change names", n, other)
	name := n.name
	a.rename(n.id, "between")
	a.rename(other.id, name)
	a.rename(n.id, other.name)
	n.name, other.name = other.name, name
	return did
}

// swapPlaces puts the folder that holds a folder into it.
func (a *driveAccount) swapPlaces(d *dice) string {
	inner, ok := a.some(d, func(n *node) bool { return n.live() && n.folder && n.parent != nil })
	if !ok {
		return ""
	}
	outer := inner.parent
	if outer.orphan || !a.free(inner.name, outer.parent, inner) {
		return ""
	}
	first := a.moveTo(inner, outer.parent)
	if first == "" {
		return ""
	}
	return first + ", " + a.moveTo(outer, inner)
}

func (a *driveAccount) orphanOne(d *dice) string {
	if a.addOrphan == nil || !d.chance(3) {
		return ""
	}
	name, _ := a.someName(d, nil, nil)
	n := &node{name: name, folder: d.chance(2), orphan: true}
	if !n.folder {
		n.body = a.text(d)
	}
	n.id = a.addOrphan(name, n.body, n.folder)
	a.nodes = append(a.nodes, n)
	return fmt.Sprintf("add %v in no folder", n)
}

func (a *driveAccount) awayOne(d *dice) string {
	if a.moveAway == nil || !d.chance(2) {
		return ""
	}
	n, ok := a.some(d, isLive)
	if !ok {
		return ""
	}
	a.moveAway(n.id)
	n.parent, n.orphan = nil, true
	return fmt.Sprintf("move %v into a folder of somebody else", n)
}

// serve starts a simulated provider.
func serve(handler http.Handler) *httptest.Server { return httptest.NewServer(handler) }

func TestGoogleDrive(t *testing.T) {
	tryPlans(t, 360, func(p plan) outcome { return play(p, openGoogleDrive) })
}

func TestOneDrive(t *testing.T) {
	tryPlans(t, 360, func(p plan) outcome { return play(p, openOneDrive) })
}
