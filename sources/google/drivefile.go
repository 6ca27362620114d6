package google

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/api/drive/v3"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/sources"
)

const (
	mimeFolder   = googleApps + "folder"
	mimeShortcut = googleApps + "shortcut"
)

// openBody opens a body at its first byte.
type openBody = func(context.Context) (io.ReadCloser, error)

// fileView is what the conversion of a file depends on beside the file.
type fileView struct {
	// root is the id of the folder at the top.
	root    string
	formats Formats
	// exports are the media types that Google offers for each of its kinds; nil if not known.
	exports map[string][]string
	// download and export make what opens the body of a stored file and of a document.
	download func(id string, b sources.Body) openBody
	export   func(id, mediaType string) openBody
}

// item converts a file.
func (v fileView) item(f *drive.File) sources.Item[sources.File] {
	c := sources.File{Name: f.Name, MediaType: f.MimeType, Created: timeOf(f.CreatedTime), Modified: timeOf(f.ModifiedTime)}
	c.ParentID, c.Orphan = v.place(f)
	it := sources.Item[sources.File]{ID: f.Id, Title: f.Name, Link: f.WebViewLink}
	switch {
	case f.MimeType == mimeFolder:
		c.Type = sources.Folder
	case f.MimeType == mimeShortcut:
		c.Type = sources.Shortcut
		c.TargetName, c.TargetLink = f.Name, targetLink(f.ShortcutDetails)
	case stored(f):
		c.Body = v.blob(f)
		it.Problem = problem(f)
	default:
		it.Problem = v.document(f, &c)
	}
	it.Version, it.Content = fileVersion(f, c, it.Problem), c
	return it
}

// place returns the parent, with the top as the empty id. A file without a parent that its owner can see is an
// orphan, and so is one that claims to hold itself. Of several parents, which old files may have, the top wins, then
// the first.
func (v fileView) place(f *drive.File) (parent string, orphan bool) {
	switch {
	case slices.Contains(f.Parents, v.root) && v.root != "":
		return "", false
	case len(f.Parents) == 0 || f.Parents[0] == "" || f.Parents[0] == f.Id:
		return "", true
	}
	return f.Parents[0], false
}

// stored reports whether Google holds bytes of the file, and not a document of its own. Google's types for photos and
// third-party files exist in both forms.
func stored(f *drive.File) bool {
	return !strings.HasPrefix(f.MimeType, googleApps) || f.Md5Checksum != "" || f.Sha256Checksum != "" || f.HeadRevisionId != ""
}

// blob returns the body of a stored file. Some old files lack SHA-256, and a few every digest.
func (v fileView) blob(f *drive.File) sources.Body {
	b := sources.Body{Size: f.Size, MD5: digest(f.Md5Checksum, 16), SHA256: digest(f.Sha256Checksum, 32)}
	if f.Size < 0 || f.Size == 0 && b.MD5 == "" && b.SHA256 == "" {
		b.Size = -1
	}
	switch {
	case b.SHA256 != "":
		b.Version = "sha256:" + b.SHA256
	case b.MD5 != "":
		b.Version = "md5:" + b.MD5
	case f.HeadRevisionId != "":
		b.Version = "revision:" + f.HeadRevisionId
	default:
		b.Version = "modified:" + f.ModifiedTime + ":" + strconv.FormatInt(f.Size, 10)
	}
	b.Open = v.download(f.Id, b)
	return b
}

// digest returns a hex digest of n bytes in lower case, and nothing for anything else.
func digest(s string, n int) string {
	if b, err := hex.DecodeString(s); err != nil || len(b) != n {
		return ""
	}
	return strings.ToLower(s)
}

// problem returns what forbids reading the content.
func problem(f *drive.File) error {
	switch {
	case f.ClientEncryptionDetails != nil && f.ClientEncryptionDetails.EncryptionState == "encrypted":
		return fault.New(fault.Skip, fault.SourceEncrypted, "encrypted at the client: Google holds no plain bytes")
	case f.Capabilities != nil && !f.Capabilities.CanDownload:
		return fault.New(fault.Skip, fault.SourceRestricted, "the download is forbidden by the owner or a policy")
	}
	return nil
}

// document completes the content of a Google document with its export. Google does not tell revisions of
// documents, so that the time of modification stands for the version of the body.
func (v fileView) document(f *drive.File, c *sources.File) error {
	if err := problem(f); err != nil {
		return err
	}
	mediaType, ext, ok := v.formats.of(f.MimeType)
	if !ok {
		return fault.New(fault.Skip, fault.SourceNoExport, "%s cannot be exported", kindOf(f.MimeType))
	}
	offered, ok := v.offered(f.MimeType, mediaType)
	if !ok {
		return fault.New(fault.Skip, fault.SourceNoExport, "Google does not export %s as %s", kindOf(f.MimeType), ext)
	}
	c.ExportType = mediaType
	if !strings.HasSuffix(strings.ToLower(f.Name), ext) {
		c.Extension = ext
	}
	c.Body = sources.Body{Version: "export:" + mediaType + ":" + f.ModifiedTime, Size: -1, Open: v.export(f.Id, offered)}
	return nil
}

// offered returns the name by which Google offers the export of a kind of documents in a format.
func (v fileView) offered(kind, mediaType string) (string, bool) {
	for _, name := range []string{mediaType, exportAliases[mediaType]} {
		if name != "" && (v.exports == nil || slices.Contains(v.exports[kind], name)) {
			return name, true
		}
	}
	return "", false
}

// kindOf returns the provider's type for an error text.
func kindOf(mediaType string) string {
	return fmt.Sprintf("%q", httpx.OneLine(strings.TrimPrefix(mediaType, googleApps)))
}

// targetLink returns where a shortcut's target is shown. A resource key goes along, since old link-shared files need it.
func targetLink(d *drive.FileShortcutDetails) string {
	if d == nil || d.TargetId == "" {
		return ""
	}
	q := url.Values{"id": {d.TargetId}}
	if d.TargetResourceKey != "" {
		q.Set("resourcekey", d.TargetResourceKey)
	}
	return "https://drive.google.com/open?" + q.Encode()
}

// fileVersion returns a version that changes with everything that is moved, and with nothing else. Drive's own version
// counts permissions and views by others as well, and a folder's times change with what is put into it.
func fileVersion(f *drive.File, c sources.File, problem error) string {
	parts := []string{c.Name, c.ParentID, strconv.FormatBool(c.Orphan), c.MediaType, c.ExportType, c.Extension, c.Body.Version,
		c.TargetLink, string(reasonOf(problem))}
	if c.Type != sources.Folder {
		parts = append(parts, f.CreatedTime, f.ModifiedTime)
	}
	return hashOf(parts)
}

func reasonOf(err error) fault.Reason {
	if err == nil {
		return ""
	}
	return fault.Of(err).Reason
}

// timeOf reads a time by RFC 3339; what is none is the zero time.
func timeOf(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t
}
