package google

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
)

// seen finds a file that the user may see; root stands for the user's My Drive.
func (c *call) seen(id string) (fileView, error) {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	n := c.data.nodes[id]
	if id == "root" {
		n = c.user.drive.root
	}
	if n == nil || n.role(c.user.Email) == "" || n.drive != nil && !c.flag("supportsAllDrives") && c.name != "drive.files.export" && c.name != "drive.exportLinks" {
		return fileView{}, errFileNotFound(id)
	}
	return c.view(n), nil
}

// filesGet answers files.get: the metadata, or with alt=media the contents.
// https://developers.google.com/workspace/drive/api/reference/rest/v3/files/get
func filesGet(c *call) error {
	if err := c.oneOf("alt", "json", "media"); err != nil {
		return err
	}
	v, err := c.seen(c.r.PathValue("fileId"))
	if err != nil {
		return err
	}
	if c.query.Get("alt") == "media" {
		return c.download(v)
	}
	return c.replyOr(v.resource(), "kind,id,name,mimeType")
}

func (c *call) download(v fileView) error {
	switch {
	case v.Content == nil || v.Unavailable:
		return errForbidden("fileNotDownloadable", "Only files with binary content can be downloaded. Use Export with Docs Editors files.")
	case v.Abusive && !c.flag("acknowledgeAbuse"), v.Abusive && !v.owned && v.role != "organizer":
		return errForbidden("cannotDownloadAbusiveFile", "This file has been identified as malware or spam and cannot be downloaded.")
	case !v.mayDownload():
		return errForbidden("cannotDownloadFile", "This file cannot be downloaded by the user.")
	case v.OverQuota && c.data.refuses(v.ID):
		return &apiError{code: 403, domain: "usageLimits", reason: "downloadQuotaExceeded", message: "The download quota for this file has been exceeded."}
	}
	return c.send(v.Content, v.MimeType)
}

// refuses reports whether the download quota of a file that has used it up is not yet that of the next day.
func (d *Data) refuses(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.nodes[id]
	if n == nil || d.QuotaDay == 0 {
		return true
	}
	now := d.Now()
	if n.refused.IsZero() {
		n.refused = now
	}
	return now.Sub(n.refused) < d.QuotaDay
}

// send writes a body, or the range of it that is asked for.
func (c *call) send(body cloudsim.Content, mime string) error {
	size := body.Size()
	from, to, partial, ok := byteRange(c.r.Header.Get("Range"), size)
	h := c.w.Header()
	if !ok {
		h.Set("Content-Range", fmt.Sprintf("bytes */%d", size))
		return &apiError{code: 416, reason: "requestedRangeNotSatisfiable", message: "Request range not satisfiable"}
	}
	r, err := body.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	h.Set("Content-Type", mime)
	h.Set("Content-Length", strconv.FormatInt(to-from, 10))
	h.Set("Accept-Ranges", "bytes")
	status := http.StatusOK
	if partial {
		status = http.StatusPartialContent
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, size))
	}
	c.w.WriteHeader(status)
	if to == size {
		_, err = io.Copy(c.w, r)
	} else {
		_, err = io.CopyN(c.w, r, to-from)
	}
	if err != nil {
		panic(http.ErrAbortHandler) // the answer has begun: all that is left is to cut it
	}
	return nil
}

// byteRange reads a Range header of one range (RFC 9110 section 14.2); what cannot be understood is ignored.
func byteRange(header string, size int64) (from, to int64, partial, ok bool) {
	spec, isBytes := strings.CutPrefix(header, "bytes=")
	first, last, isRange := strings.Cut(spec, "-")
	if !isBytes || !isRange || strings.Contains(spec, ",") {
		return 0, size, false, true
	}
	if first == "" {
		n, err := strconv.ParseInt(last, 10, 64)
		return max(0, size-n), size, err == nil, err != nil || n > 0 && size > 0
	}
	from, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		return 0, size, false, true
	}
	to = size
	if last != "" {
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil || n < from {
			return 0, size, false, true
		}
		to = min(size, n+1)
	}
	return from, to, true, from < size
}

// filesExport answers files.export.
// https://developers.google.com/workspace/drive/api/reference/rest/v3/files/export
func filesExport(c *call) error {
	mime := c.query.Get("mimeType")
	if mime == "" {
		return &apiError{code: 400, reason: "required", location: "mimeType", message: "Required parameter: mimeType"}
	}
	v, err := c.seen(c.r.PathValue("fileId"))
	if err != nil {
		return err
	}
	body, err := c.exported(v, mime)
	if err != nil {
		return err
	}
	if body.Size() > c.options.ExportLimit {
		return errForbidden("exportSizeLimitExceeded", "This file is too large to be exported.")
	}
	return c.stream(body, mime)
}

// stream writes a whole body of a length that is not told beforehand: exports are made while they are sent, and cannot
// be had in parts.
func (c *call) stream(body cloudsim.Content, mime string) error {
	r, err := body.Open(0)
	if err != nil {
		return err
	}
	defer r.Close()
	c.w.Header().Set("Content-Type", mime)
	c.w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(c.w).Flush()
	if _, err = io.Copy(c.w, r); err != nil {
		panic(http.ErrAbortHandler) // the answer has begun: all that is left is to cut it
	}
	return nil
}

func (c *call) exported(v fileView, mime string) (cloudsim.Content, error) {
	if !v.googleDoc() {
		return nil, errForbidden("fileNotExportable", "Export only supports Docs Editors files.")
	}
	if !v.mayDownload() {
		return nil, errForbidden("cannotExportFile", "This file cannot be exported by the user.")
	}
	body, ok := v.export(mime)
	if !ok {
		return nil, &apiError{code: 400, reason: "badRequest", location: "convertTo", message: "The requested conversion is not supported."}
	}
	return body, nil
}

// exportLink serves what exportLinks point at: exports without the limit of files.export.
func exportLink(c *call) error {
	v, err := c.seen(c.query.Get("id"))
	if err != nil {
		return err
	}
	formats := exportFormats(v.MimeType)
	i := slices.IndexFunc(formats, func(f exportFormat) bool { return f.name == c.query.Get("exportFormat") })
	if i < 0 {
		return errInvalid("exportFormat", "Unknown format")
	}
	body, err := c.exported(v, formats[i].mime)
	if err != nil {
		return err
	}
	return c.stream(body, formats[i].mime)
}
