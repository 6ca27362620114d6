package carddav

import (
	"context"
	"fmt"

	"codeberg.org/repatriate/repatriate/internal/preflight"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/internal/dav"
)

// trialCard is what a check writes, with the version that the server takes.
const trialCard = "BEGIN:VCARD\r\nVERSION:%s\r\nPRODID:-//repatriate//check//EN\r\nUID:repatriate-check-contact\r\n" +
	"FN:Test of a migration\r\nN:migration;Test of a;;;\r\nEND:VCARD\r\n"

// smallCard is below what a card with a picture needs.
const smallCard = 256 << 10

// Limits asks how large a card may be (RFC 6352 §6.2.3). It writes nothing. CardDAV has no quota of its own.
func Limits(ctx context.Context, o Options) (preflight.Limits, error) {
	limits := preflight.NoLimits
	c, err := newClient(o)
	if err != nil {
		return limits, err
	}
	defer c.Close()
	books, err := c.list(ctx)
	for _, b := range books {
		limits.NarrowItem(int64(b.most))
	}
	return limits, err
}

// Check looks whether the account can be logged into, and makes an address book, writes a card into it and removes both again; one that
// an interrupted check left is removed first.
func Check(ctx context.Context, o Options, l *preflight.Log) error {
	c, err := newClient(o)
	if err != nil {
		return err
	}
	defer c.Close()
	books, err := c.list(ctx)
	if err != nil {
		return err
	}
	version := "3.0"
	for _, b := range books {
		if b.version4 {
			version = "4.0"
		}
		if b.most > 0 && b.most < smallCard {
			l.Warn(fmt.Sprintf("the server takes cards of at most %d bytes", b.most), "pictures of contacts are made smaller, or stay behind",
				"raise the server's max-resource-size, if pictures matter")
			break
		}
	}
	err = dav.Trial{
		Client: c.Client, Object: "check.vcf", Type: "text/vcard; charset=utf-8", Data: fmt.Sprintf(trialCard, version),
		Make: func(ctx context.Context, path string) error {
			return c.make(ctx, path, sinks.Collection{Name: "repatriate check"})
		},
	}.Run(ctx)
	if err == nil {
		l.OK("logged in, made an address book, wrote to it and removed it")
	}
	return err
}
