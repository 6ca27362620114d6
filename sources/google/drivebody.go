package google

import (
	"context"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"google.golang.org/api/drive/v3"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/verify"
	"codeberg.org/repatriate/repatriate/sources"
)

// view returns what the conversion of the files depends on. The export formats are asked for when there is a document.
func (s *driveSource) view(ctx context.Context, files []*drive.File) (fileView, error) {
	root, err := s.rootID(ctx)
	if err != nil {
		return fileView{}, err
	}
	v := fileView{root: root, formats: s.formats, download: s.openBlob, export: s.openExport}
	for _, f := range files {
		if f == nil {
			continue
		}
		if _, _, ok := s.formats.of(f.MimeType); ok && !stored(f) {
			v.exports, err = s.exportFormats(ctx)
			break
		}
	}
	return v, err
}

// exportFormats returns the media types that Google offers for each of its kinds of documents.
func (s *driveSource) exportFormats(ctx context.Context) (map[string][]string, error) {
	return s.exports.Get(ctx, func(ctx context.Context) (formats map[string][]string, err error) {
		err = s.call(ctx, driveAbout, func(svc *drive.Service) error {
			about, err := svc.About.Get().Fields("exportFormats").Context(ctx).Do()
			if err == nil {
				formats = about.ExportFormats
			}
			return err
		})
		return formats, err
	})
}

// openBlob returns what opens a stored file. It goes on after a cut and proves what it received.
func (s *driveSource) openBlob(id string, b sources.Body) openBody {
	want := verify.Want{Size: b.Size, SHA256: b.SHA256, MD5: b.MD5}
	return func(ctx context.Context) (io.ReadCloser, error) {
		return verify.Body(ctx, want, func(ctx context.Context, offset int64) (io.ReadCloser, int64, error) {
			return s.download(ctx, id, offset, false)
		}, verify.Options{})
	}
}

// download requests the bytes of a stored file from an offset on.
func (s *driveSource) download(ctx context.Context, id string, offset int64, acknowledged bool) (io.ReadCloser, int64, error) {
	var res *http.Response
	err := s.call(ctx, driveDownload, func(svc *drive.Service) (err error) {
		call := svc.Files.Get(id).SupportsAllDrives(true).Context(ctx)
		if acknowledged {
			call.AcknowledgeAbuse(true)
		}
		if offset > 0 {
			call.Header().Set("Range", verify.Range(offset))
		}
		res, err = call.Download()
		return err
	})
	if s.abuse && !acknowledged && hasReason(err, "cannotDownloadAbusiveFile") {
		return s.download(ctx, id, offset, true)
	}
	if statusOf(err) == http.StatusRequestedRangeNotSatisfiable {
		return nil, 0, fault.New(fault.Retry, fault.SourceBrokenBody, "the file is not as long any more: %w", err)
	}
	if err != nil {
		return nil, 0, err
	}
	res.Body = s.counted(res.Body)
	return verify.Part(res, offset)
}

// openExport returns what opens the export of a document. Each request converts anew, so that a cut export cannot be
// continued.
func (s *driveSource) openExport(id, mediaType string) openBody {
	return func(ctx context.Context) (io.ReadCloser, error) {
		return verify.Body(ctx, verify.Want{Size: -1}, func(ctx context.Context, _ int64) (io.ReadCloser, int64, error) {
			body, err := s.exported(ctx, id, mediaType)
			return body, 0, err
		}, verify.Options{Once: true})
	}
}

// exported requests the export of a document: by files.export up to its limit of 10 MB, above it by the document's
// export link.
func (s *driveSource) exported(ctx context.Context, id, mediaType string) (io.ReadCloser, error) {
	var res *http.Response
	err := s.call(ctx, driveExport, func(svc *drive.Service) (err error) {
		res, err = svc.Files.Export(id, mediaType).Context(ctx).Download()
		return err
	})
	if hasReason(err, "exportSizeLimitExceeded") {
		res, err = s.exportedByLink(ctx, id, mediaType, err)
	}
	if err != nil {
		return nil, err
	}
	return s.counted(res.Body), nil
}

func (s *driveSource) exportedByLink(ctx context.Context, id, mediaType string, cause error) (*http.Response, error) {
	user, err := s.user(ctx)
	if err != nil {
		return nil, err
	}
	f, err := s.get(ctx, id, "exportLinks")
	if err != nil {
		return nil, err
	}
	link := f.ExportLinks[mediaType]
	if link == "" {
		return nil, fault.New(fault.Skip, fault.SourceExportSize, "too large to be exported, and there is no export link: %w", cause)
	}
	if u, err := url.Parse(link); err != nil || !s.client.trusted(u) {
		return nil, fault.New(fault.FailItem, fault.SourceBadAnswer, "the export link leads to a host that is not Google's")
	}
	res, err := s.client.get(ctx, user, driveExport, link, nil)
	if err != nil {
		return nil, err
	}
	if got := res.Header.Get("Content-Type"); strangePage(got, mediaType) {
		_ = res.Body.Close()
		return nil, fault.New(fault.Retry, fault.SourceBadAnswer, "the export link led to a web page, not to %s", mediaType)
	}
	return res, nil
}

// strangePage reports whether an answer is a web page, such as one for logging in, in place of the export.
func strangePage(got, want string) bool {
	mediaType, _, err := mime.ParseMediaType(got)
	return err == nil && strings.EqualFold(mediaType, "text/html") && want != "text/html"
}

// counted counts the bytes of a body against the day's egress when it is closed.
func (s *driveSource) counted(body io.ReadCloser) io.ReadCloser {
	return &countedBody{ReadCloser: body, report: s.client.quota.received}
}

type countedBody struct {
	io.ReadCloser
	n      int
	report func(int)
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n += n
	return n, err
}

func (b *countedBody) Close() error {
	b.report(b.n)
	b.n = 0
	return b.ReadCloser.Close()
}
