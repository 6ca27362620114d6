package deltamodel

import (
	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	gsim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	msim "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/sources"
	"codeberg.org/repatriate/repatriate/sources/google"
	"codeberg.org/repatriate/repatriate/sources/microsoft"
)

// body is nil for folders.
func body(text string, folder bool) cloudsim.Content {
	if folder {
		return nil
	}
	return cloudsim.Bytes([]byte(text))
}

// googleNames are names that a Google drive takes, and what they are on the target.
var googleNames = map[string]string{"a/b": "a_b", "CON": "CON_", "dot.": "dot", " space ": "space", "q?.txt": "q_.txt", "\u0061\u0308.txt": "\u00e4.txt"}

// openGoogleDrive opens a user's My Drive, or a shared drive.
func openGoogleDrive(b *bench, d *dice) world {
	sim := b.startGoogle(gsim.Options{ShortPages: d.chance(2)})
	data := sim.data
	data.AnnounceDescendants = d.chance(2)
	p := provider{
		rename: func(id, name string) { must(data.Rename(id, name)) }, edit: func(id, text string) { must(data.Edit(id, body(text, false))) },
		trash: func(id string) { must(data.Trash(id)) }, restore: func(id string) { must(data.Restore(id)) },
		erase: func(id string) { must(data.Delete(id)) }, names: googleNames,
	}
	if b.seed%3 == 0 {
		b.tell("a shared drive")
		sharedDrive(&p, sim)
	} else {
		myDrive(&p, sim)
	}
	return newDrive(b, p)
}

func myDrive(p *provider, sim googleSim) {
	data := sim.data
	theirs := value(data.AddFile(admin, gsim.File{Name: "Theirs"}))
	must(data.Share(theirs, gsim.Permission{Type: "user", Role: "writer", Email: user}))
	p.add = func(parent, name, text string, folder bool) string {
		return value(data.AddFile(user, gsim.File{Name: name, Parent: parent, Content: body(text, folder)}))
	}
	p.addOrphan = func(name, text string, folder bool) string {
		return value(data.AddFile(user, gsim.File{Name: name, Orphan: true, Content: body(text, folder)}))
	}
	p.move = func(id, parent string) { must(data.Move(id, parent)) }
	p.moveAway = func(id string) { must(data.Move(id, theirs)) }
	p.expire = func() { data.ExpireChanges(user); data.ExpirePageTokens() }
	p.open = func() sources.Source[sources.File] { return google.Drive(sim.connect(), user, google.DriveOptions{}) }
}

func sharedDrive(p *provider, sim googleSim) {
	data := sim.data
	drive := data.AddSharedDrive("Team", gsim.Permission{Type: "user", Role: "organizer", Email: user})
	p.add = func(parent, name, text string, folder bool) string {
		return value(data.AddDriveFile(drive, gsim.File{Name: name, Parent: parent, Content: body(text, folder)}))
	}
	p.move = func(id, parent string) {
		if parent == "" {
			parent = drive
		}
		must(data.Move(id, parent))
	}
	p.expire = func() { data.ExpireChanges(drive); data.ExpirePageTokens() }
	p.open = func() sources.Source[sources.File] {
		return google.SharedDrive(sim.connect(), drive, google.DriveOptions{})
	}
}

// openOneDrive opens a user's OneDrive, or a document library.
func openOneDrive(b *bench, _ *dice) world {
	sim := b.startMicrosoft()
	data, drive := sim.data, sim.data.DriveID(user)
	open := func() sources.Source[sources.File] { return microsoft.Drive(sim.connect(), user) }
	if b.seed%3 == 0 {
		b.tell("a document library")
		drive = data.AddSite("Team", "sites/team", "Documents")
		open = func() sources.Source[sources.File] { return microsoft.Library(sim.connect(), drive) }
	}
	return newDrive(b, provider{
		open: open,
		add: func(parent, name, text string, folder bool) string {
			return value(data.AddFile(drive, msim.File{Name: name, Parent: parent, Content: body(text, folder)}))
		},
		rename: func(id, name string) { must(data.Rename(drive, id, name)) }, move: func(id, parent string) { must(data.Move(drive, id, parent)) },
		edit:  func(id, text string) { must(data.Edit(drive, id, body(text, false))) },
		trash: func(id string) { must(data.Delete(drive, id)) }, erase: func(id string) { must(data.Delete(drive, id)) },
		expire:      func() { data.ExpireDelta(drive); data.ExpireTokens() },
		uniqueNames: true,
	})
}
