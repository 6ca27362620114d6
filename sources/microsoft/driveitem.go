package microsoft

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"path"
	"strconv"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/quickxor"
	"codeberg.org/repatriate/repatriate/internal/verify"
	"codeberg.org/repatriate/repatriate/sources"
)

// driveItem is the part of Graph's driveItem that is read (learn.microsoft.com/graph/api/resources/driveitem). A facet that is there
// says what the item is, whatever it holds.
type driveItem struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Size    *int64    `json:"size"`
	WebURL  string    `json:"webUrl"`
	CTag    string    `json:"cTag"`
	Deleted *struct{} `json:"deleted"`
	Root    *struct{} `json:"root"`
	Folder  *struct{} `json:"folder"`
	Malware *struct{} `json:"malware"`
	Package *struct {
		Type string `json:"type"`
	} `json:"package"`
	File *struct {
		MimeType string `json:"mimeType"`
		Hashes   struct {
			QuickXor string `json:"quickXorHash"`
			SHA1     string `json:"sha1Hash"`
		} `json:"hashes"`
	} `json:"file"`
	Remote *struct {
		Name   string `json:"name"`
		WebURL string `json:"webUrl"`
	} `json:"remoteItem"`
	Parent *struct {
		ID      string `json:"id"`
		DriveID string `json:"driveId"`
		Path    string `json:"path"`
	} `json:"parentReference"`
	Times struct {
		Created  string `json:"createdDateTime"`
		Modified string `json:"lastModifiedDateTime"`
	} `json:"fileSystemInfo"`
}

// item converts an item of the drive. root is the id of the drive's root.
func (s *driveSource) item(drive, root string, f driveItem) sources.Item[sources.File] {
	if f.Deleted != nil {
		return sources.Item[sources.File]{ID: f.ID, Deleted: true}
	}
	i := sources.Item[sources.File]{ID: f.ID, Title: httpx.OneLine(f.Name), Link: webLink(f.WebURL)}
	i.Content = sources.File{Name: f.Name, Created: timeOf(f.Times.Created), Modified: timeOf(f.Times.Modified)}
	i.Content.ParentID, i.Content.Orphan = placeIn(root, f)
	i.Problem = s.fill(drive, f, &i.Content)
	i.Version = fileVersion(f, i.Content, i.Problem)
	return i
}

// placeIn returns the parent, with the top as the empty id.
func placeIn(root string, f driveItem) (parent string, orphan bool) {
	switch {
	case f.Parent == nil || f.Parent.ID == "" || f.Parent.ID == f.ID:
		return "", true
	case f.Parent.ID == root:
		return "", false
	}
	return f.Parent.ID, false
}

// fill completes the content by the item's facets and returns what keeps it from being moved.
func (s *driveSource) fill(drive string, f driveItem, c *sources.File) error {
	switch {
	case f.Remote != nil:
		c.Type, c.TargetName, c.TargetLink = sources.Shortcut, f.Remote.Name, webLink(f.Remote.WebURL)
	case f.Package != nil:
		c.Type = sources.Folder
		return fault.New(fault.Skip, fault.SourceNoExport, "a package of the kind %q cannot be downloaded", httpx.OneLine(f.Package.Type))
	case f.Folder != nil:
		c.Type = sources.Folder
	case f.File == nil:
		return fault.New(fault.Skip, fault.SourceNoExport, "neither a file nor a folder")
	default:
		return s.fillFile(drive, f, c)
	}
	return nil
}

func (s *driveSource) fillFile(drive string, f driveItem, c *sources.File) error {
	c.MediaType = f.File.MimeType
	c.Body = s.body(drive, f)
	switch {
	case f.Malware != nil:
		return fault.New(fault.Skip, fault.SourceMalware, "Microsoft holds the file for malware")
	case oneNoteParts[strings.ToLower(path.Ext(f.Name))]:
		return fault.New(fault.Skip, fault.SourceNoExport, "a part of a OneNote notebook cannot be downloaded")
	}
	return nil
}

// oneNoteParts are what a notebook consists of; Microsoft refuses their download with 503.
var oneNoteParts = map[string]bool{".one": true, ".onetoc2": true}

// rewritten are the kinds of files into which SharePoint writes properties of its own after the upload, and of which neither size
// nor digest need hold. Live photos come smaller than they are listed.
var rewritten = map[string]bool{".docx": true, ".docm": true, ".dotx": true, ".dotm": true, ".xlsx": true, ".xlsm": true, ".xlsb": true,
	".xltx": true, ".xltm": true, ".pptx": true, ".pptm": true, ".potx": true, ".potm": true, ".ppsx": true, ".ppsm": true, ".vsdx": true,
	".heic": true}

// body returns the body of a file. The digest changes with the bytes even where it does not describe them.
func (s *driveSource) body(drive string, f driveItem) sources.Body {
	hash := quickXorOf(f.File.Hashes.QuickXor)
	size := int64(-1)
	if f.Size != nil && *f.Size >= 0 {
		size = *f.Size
	}
	want := verify.Want{Size: size, QuickXor: hash}
	if hash == "" {
		want.SHA1 = sha1Of(f.File.Hashes.SHA1)
	}
	b := sources.Body{Size: size, Version: "ctag:" + f.CTag}
	switch {
	case hash != "":
		b.Version = "quickxor:" + hash
	case want.SHA1 != "":
		b.Version = "sha1:" + want.SHA1
	case f.CTag == "":
		b.Version = "modified:" + f.Times.Modified + ":" + strconv.FormatInt(size, 10)
	}
	if !rewritten[strings.ToLower(path.Ext(f.Name))] {
		b.Open = s.opener(drive, f.ID, want)
		return b
	}
	c := &comparison{want: want, open: s.opener(drive, f.ID, verify.Want{Size: -1})}
	b.Size, b.Open, b.Differs = -1, c.Open, c.how
	return b
}

// sha1Of returns a digest in lower-case hex, and nothing for what is none. OneDrive for work states quickXorHash alone.
func sha1Of(s string) string {
	if raw, err := hex.DecodeString(s); err != nil || len(raw) != sha1.Size {
		return ""
	}
	return strings.ToLower(s)
}

// quickXorOf returns the digest in hex, and nothing for what is none.
func quickXorOf(s string) string {
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(raw) != quickxor.Size {
		return ""
	}
	return hex.EncodeToString(raw)
}

// webLink returns an address that may be shown as a link.
func webLink(s string) string {
	if !strings.HasPrefix(s, "https://") || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return ""
	}
	return s
}

// fileVersion returns a version that changes with everything that is moved, and with nothing else: a folder's times change with
// what is put into it.
func fileVersion(f driveItem, c sources.File, problem error) string {
	parts := []string{c.Name, c.ParentID, strconv.FormatBool(c.Orphan), strconv.Itoa(int(c.Type)), c.MediaType, c.Body.Version, c.TargetName, c.TargetLink}
	if problem != nil {
		parts = append(parts, string(fault.Of(problem).Reason))
	}
	if c.Type != sources.Folder {
		parts = append(parts, f.Times.Created, f.Times.Modified)
	}
	return digestOf(parts)
}

// timeOf reads a time by RFC 3339; what is none is the zero time.
func timeOf(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t
}
