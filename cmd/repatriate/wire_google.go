package main

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/estimate"
	"codeberg.org/repatriate/repatriate/sources"
	"codeberg.org/repatriate/repatriate/sources/google"
)

type googleProvider struct {
	client *google.Client
	drive  google.DriveOptions
	mails  google.MailOptions
	// kinds are the job's; others says that other contacts are moved too.
	kinds  []string
	others bool
}

func (w *wiring) newGoogle(ctx context.Context) (provider, error) {
	g := w.job.Source.Google
	key, err := w.secretOf(ctx, "source.google.credentials", g.Credentials)
	if err != nil {
		return nil, err
	}
	formats, err := google.ParseFormats(g.Formats.Word, g.Formats.Changes)
	if err != nil {
		return nil, usage(fmt.Errorf("source.google.formats: %w", err))
	}
	client, err := google.New(ctx, google.Options{
		Credentials: key.Bytes(), Admin: g.Admin, Endpoint: g.Endpoint, Tier: g.Tier, Paid: g.Paid, Clock: g.Clock, Meter: &w.source, Memory: w.memory,
		Transport: w.pass.timetable.paced(),
	})
	if err != nil {
		return nil, usage(err)
	}
	return googleProvider{client, google.DriveOptions{Formats: formats, AcknowledgeAbuse: g.AcknowledgeAbuse},
		google.MailOptions{SpamTrash: g.SpamTrash}, w.job.Kinds, g.OtherContacts}, nil
}

func (p googleProvider) prices() estimate.Prices { return p.client.Prices() }

// accounts leaves shared drives out where the job moves no files: it may then have no scope to list them.
func (p googleProvider) accounts(ctx context.Context) iter.Seq2[sources.Account, error] {
	if !slices.Contains(p.kinds, "files") {
		return p.client.Users(ctx)
	}
	return p.client.Accounts(ctx)
}

// line leaves suspended accounts out, since Google gives nothing of them.
func (p googleProvider) line(a sources.Account) accountLine {
	l := lineOf(a)
	switch a.State {
	case "suspended":
		l.out = true
	case "no_mailbox":
		l.kinds = without(p.kinds, "mail")
	}
	return l
}

func (p googleProvider) files(account string) (sources.Source[sources.File], string) {
	if id, shared := strings.CutPrefix(account, drivePrefix); shared {
		return google.SharedDrive(p.client, id, p.drive), ""
	}
	return google.Drive(p.client, account, p.drive), "Drive"
}

func (p googleProvider) driveName(ctx context.Context, id string) (string, error) {
	return google.DriveName(ctx, p.client, id)
}

func (p googleProvider) mail(account string) sources.Source[sources.Message] {
	return google.Mail(p.client, account, p.mails)
}

func (p googleProvider) calendars(ctx context.Context, account string) ([]sources.Collection, error) {
	return google.Calendars(ctx, p.client, account)
}

func (p googleProvider) calendar(account, id string) sources.Source[sources.Event] {
	return google.Calendar(p.client, account, id)
}

func (p googleProvider) addressBooks(context.Context, string) ([]sources.Collection, error) {
	return google.ContactCollections(p.others), nil
}

func (p googleProvider) contacts(account, id string) sources.Source[sources.Contact] {
	return google.Contacts(p.client, account, id)
}

func (p googleProvider) taskLists(ctx context.Context, account string) ([]sources.Collection, error) {
	return google.TaskLists(ctx, p.client, account)
}

func (p googleProvider) tasks(account string, list sources.Collection) sources.Source[sources.Task] {
	return google.Tasks(p.client, account, list.ID)
}
