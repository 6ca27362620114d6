package mapping

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/url"
	"path"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/filename"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sources"
)

// The losses of a file.
const (
	// FileRenamed: the target takes the name only in another form; Detail is the old name and the new one.
	FileRenamed = "file.renamed"
	// FileConflictRenamed: the target's user has something under the name, which stays; Detail is the name and the one that the item has.
	FileConflictRenamed = "file.conflict_renamed"
	// FileConverted: a provider's own document was converted; Detail says from what to what.
	FileConverted = "file.converted"
	// FileShortcut: a shortcut became a file that links to the provider; Detail is the name of what it points at.
	FileShortcut = "file.shortcut"
	// FileOrphan: the file has no folder at the source, and lies at the top now.
	FileOrphan = "file.orphan"
	// FileRewritten: the provider changed the file after its upload and states size or digest of other bytes, so that they prove
	// nothing.
	FileRewritten = "file.rewritten"
)

// FileRules say how files are mapped. The zero FileRules make names that every system takes.
type FileRules struct {
	// KeepUnportable keeps what only Windows forbids: < > : " | ? *, a dot at the end, and names such as CON. A
	// Nextcloud takes such names, but its desktop client cannot bring them onto a Windows machine, and an administrator
	// who asks for Windows-compatible names has them refused.
	KeepUnportable bool
}

// File maps one node. Path stays empty: only who knows the tree can fill it, with what Name returns. A changed name is
// therefore not among the losses here.
func (r FileRules) File(f sources.File) (sinks.File, []Loss, error) {
	out := sinks.File{
		Folder: f.Type == sources.Folder, Created: sane(f.Created), Modified: sane(f.Modified), MediaType: f.MediaType,
	}
	var losses []Loss
	switch f.Type {
	case sources.Folder:
		out.MediaType = ""
	case sources.Shortcut:
		link, err := internetShortcut(f.TargetLink)
		if err != nil {
			return sinks.File{}, nil, err
		}
		out.MediaType, out.Body = ShortcutType, link
		losses = append(losses, Loss{Reason: FileShortcut, Detail: detail(f.TargetName)})
	default:
		out.Body = sinks.Body(f.Body)
		if f.ExportType != "" {
			out.MediaType = f.ExportType
			losses = append(losses, Loss{Reason: FileConverted, Detail: detail(shortType(f.MediaType) + " → " + format(f))})
		}
	}
	if f.Orphan {
		losses = append(losses, Loss{Reason: FileOrphan})
	}
	return out, losses, nil
}

// shortType returns the part of a media type that says what it is: "document" of application/vnd.google-apps.document.
func shortType(mediaType string) string {
	return mediaType[strings.LastIndexAny(mediaType, "/.")+1:]
}

// format returns the name of the format that a document was converted to.
func format(f sources.File) string {
	if ext := strings.TrimPrefix(f.Extension, "."); ext != "" {
		return ext
	}
	if ext := strings.TrimPrefix(path.Ext(f.Name), "."); ext != "" {
		return ext
	}
	return f.ExportType
}

// sane returns the time, or zero if no server could keep it: years that RFC 9110's dates cannot write.
func sane(t time.Time) time.Time {
	if y := t.UTC().Year(); y < 1 || y > 9999 {
		return time.Time{}
	}
	return t
}

// detail bounds what a provider wrote for the ledger.
func detail(s string) string {
	const most = 2000
	s = strings.ToValidUTF8(s, "\uFFFD")
	return filename.Cut(s, most)
}

// ShortcutType is the media type of the files that shortcuts become.
const ShortcutType = "application/internet-shortcut"

// internetShortcut returns the content of a .url file, as Windows, macOS and most Linux desktops open it.
func internetShortcut(link string) (sinks.Body, error) {
	u, err := url.Parse(strings.TrimSpace(link))
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil {
		return sinks.Body{}, fault.New(fault.FailItem, fault.MappingInvalid, "a shortcut without a web address to point at")
	}
	address := u.String()
	if strings.ContainsFunc(address, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return sinks.Body{}, fault.New(fault.FailItem, fault.MappingInvalid, "a shortcut with an address that is no URL")
	}
	data := []byte("[InternetShortcut]\r\nURL=" + address + "\r\n")
	sum, sum256 := md5.Sum(data), sha256.Sum256(data)
	return sinks.Body{
		Version: hex.EncodeToString(sum256[:]), Size: int64(len(data)),
		MD5: hex.EncodeToString(sum[:]), SHA256: hex.EncodeToString(sum256[:]),
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil },
	}, nil
}
