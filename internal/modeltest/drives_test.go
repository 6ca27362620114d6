package modeltest

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	simgoogle "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	simmicrosoft "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/sources"
	"codeberg.org/repatriate/repatriate/sources/google"
	"codeberg.org/repatriate/repatriate/sources/microsoft"
)

func sortStrings(list []string) { slices.Sort(list) }

// ticking returns a clock that goes on by a second with each look.
func ticking() func() time.Time {
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	return func() time.Time {
		now = now.Add(time.Second)
		return now
	}
}

// body is nil for folders.
func body(text string, folder bool) cloudsim.Content {
	if folder {
		return nil
	}
	return cloudsim.Bytes([]byte(text))
}

func pageSize(s setting) int {
	if s.small {
		return 3
	}
	return 0
}

// googleNames are names that a Google drive takes, and what they are on the target.
var googleNames = map[string]string{"a/b": "a_b", "CON": "CON_", "dot.": "dot", " space ": "space", "q?.txt": "q_.txt", "\u0061\u0308.txt": "\u00e4.txt"}

// openGoogleDrive opens a user's My Drive, or a shared drive.
func openGoogleDrive(dir string, s setting, w *wire) account {
	data := simgoogle.NewData("example.org")
	data.Now, data.AnnounceDescendants = ticking(), s.variant&1 == 0
	must(data.AddUser(simgoogle.User{Email: alice, Admin: true}))
	must(data.AddUser(simgoogle.User{Email: bob}))
	server := simgoogle.New(data, simgoogle.Options{PageSize: pageSize(s), ShortPages: s.variant&2 == 0})
	h := serve(server)
	p := provider{
		rename: func(id, name string) { must(data.Rename(id, name)) }, edit: func(id, text string) { must(data.Edit(id, body(text, false))) },
		trash: func(id string) { must(data.Trash(id)) }, restore: func(id string) { must(data.Restore(id)) },
		erase: func(id string) { must(data.Delete(id)) }, names: googleNames, problems: server.Problems,
		close: func() { _ = server.Close(); h.Close() },
		noisy: func(r *http.Request) bool {
			return strings.HasSuffix(r.URL.Path, "/drive/v3/files") || strings.HasSuffix(r.URL.Path, "/drive/v3/changes")
		},
	}
	connect := func(next http.RoundTripper) *google.Client {
		return value(google.New(context.Background(), google.Options{Credentials: server.KeyFile(h.URL), Admin: alice, Endpoint: h.URL, Tier: "unlimited", Transport: next}))
	}
	if s.variant&12 == 0 {
		sharedDrive(&p, data, connect)
	} else {
		myDrive(&p, data, connect)
	}
	return newDrive(dir, s, w, p)
}

func myDrive(p *provider, data *simgoogle.Data, connect func(http.RoundTripper) *google.Client) {
	bobs := value(data.AddFile(bob, simgoogle.File{Name: "Bob's"}))
	must(data.Share(bobs, simgoogle.Permission{Type: "user", Role: "writer", Email: alice}))
	p.add = func(parent, name, text string, folder bool) string {
		return value(data.AddFile(alice, simgoogle.File{Name: name, Parent: parent, Content: body(text, folder)}))
	}
	p.addOrphan = func(name, text string, folder bool) string {
		return value(data.AddFile(alice, simgoogle.File{Name: name, Orphan: true, Content: body(text, folder)}))
	}
	p.move = func(id, parent string) { must(data.Move(id, parent)) }
	p.moveAway = func(id string) { must(data.Move(id, bobs)) }
	p.expire = func() { data.ExpireChanges(alice); data.ExpirePageTokens() }
	p.open = func(next http.RoundTripper) sources.Source[sources.File] {
		return google.Drive(connect(next), alice, google.DriveOptions{})
	}
}

func sharedDrive(p *provider, data *simgoogle.Data, connect func(http.RoundTripper) *google.Client) {
	drive := data.AddSharedDrive("Team", simgoogle.Permission{Type: "user", Role: "organizer", Email: alice})
	p.add = func(parent, name, text string, folder bool) string {
		return value(data.AddDriveFile(drive, simgoogle.File{Name: name, Parent: parent, Content: body(text, folder)}))
	}
	p.move = func(id, parent string) {
		if parent == "" {
			parent = drive
		}
		must(data.Move(id, parent))
	}
	p.expire = func() { data.ExpireChanges(drive); data.ExpirePageTokens() }
	p.open = func(next http.RoundTripper) sources.Source[sources.File] {
		return google.SharedDrive(connect(next), drive, google.DriveOptions{})
	}
}

// openOneDrive opens a user's OneDrive, or a document library.
func openOneDrive(dir string, s setting, w *wire) account {
	data := simmicrosoft.NewData("example.org")
	data.Now = ticking()
	must(data.AddUser(simmicrosoft.User{Email: alice}))
	drive := data.DriveID(alice)
	library := s.variant&12 == 0
	if library {
		drive = data.AddSite("Team", "sites/team", "Documents")
	}
	server := simmicrosoft.New(data, simmicrosoft.Options{PageSize: pageSize(s)})
	h := serve(server)
	p := provider{
		add: func(parent, name, text string, folder bool) string {
			return value(data.AddFile(drive, simmicrosoft.File{Name: name, Parent: parent, Content: body(text, folder)}))
		},
		rename: func(id, name string) { must(data.Rename(drive, id, name)) }, move: func(id, parent string) { must(data.Move(drive, id, parent)) },
		edit:  func(id, text string) { must(data.Edit(drive, id, body(text, false))) },
		trash: func(id string) { must(data.Delete(drive, id)) }, erase: func(id string) { must(data.Delete(drive, id)) },
		expire: func() { data.ExpireDelta(drive); data.ExpireTokens() }, problems: server.Problems,
		close:       func() { _ = server.Close(); h.Close() },
		noisy:       func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/root/delta") },
		uniqueNames: true,
	}
	p.open = func(next http.RoundTripper) sources.Source[sources.File] {
		c := value(microsoft.New(microsoft.Options{Tenant: "example.org", ClientID: simmicrosoft.ClientID, Secret: simmicrosoft.Secret, Endpoint: h.URL,
			Login: h.URL, Unlimited: true, Transport: next}))
		if library {
			return microsoft.Library(c, drive)
		}
		return microsoft.Drive(c, alice)
	}
	return newDrive(dir, s, w, p)
}
