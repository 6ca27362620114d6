package main

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/estimate"
	"codeberg.org/repatriate/repatriate/sources"
	"codeberg.org/repatriate/repatriate/sources/microsoft"
)

type microsoftProvider struct {
	client *microsoft.Client
	sites  []string
	// libraries says that the job moves files, so that document libraries count.
	libraries bool
	mails     microsoft.MailOptions
	kinds     []string // the job's
}

func (w *wiring) newMicrosoft(ctx context.Context) (provider, error) {
	m := w.job.Source.Microsoft
	secret, err := w.secretOf(ctx, "source.microsoft.secret", m.Secret)
	certificate, err2 := w.secretOf(ctx, "source.microsoft.certificate", m.Certificate)
	password, err3 := w.secretOf(ctx, "source.microsoft.certificate_password", m.CertificatePassword)
	if err := errors.Join(err, err2, err3); err != nil {
		return nil, usage(err)
	}
	client, err := microsoft.New(microsoft.Options{
		Tenant: m.Tenant, ClientID: m.ClientID, Secret: secret.Reveal(), Certificate: certificate.Bytes(), Password: password.Reveal(), Cloud: m.Cloud,
		Endpoint: m.Endpoint, Login: m.Login, Licences: m.Licences, Unlimited: m.Unlimited, Clock: m.Clock, Meter: &w.source, Memory: w.memory,
		Transport: w.pass.timetable.paced(),
	})
	if err != nil {
		return nil, usage(err)
	}
	return microsoftProvider{client, m.Sites, slices.Contains(w.job.Kinds, "files"), microsoft.MailOptions{SpamTrash: m.SpamTrash}, w.job.Kinds}, nil
}

func (p microsoftProvider) prices() estimate.Prices { return p.client.Prices() }

// accounts yields users, and after them the document libraries of sites.
func (p microsoftProvider) accounts(ctx context.Context) iter.Seq2[sources.Account, error] {
	return func(yield func(sources.Account, error) bool) {
		lists := []iter.Seq2[sources.Account, error]{p.client.Accounts(ctx)}
		if p.libraries {
			lists = append(lists, p.client.Libraries(ctx, p.sites))
		}
		for _, list := range lists {
			for a, err := range list {
				if !yield(a, err) || err != nil {
					return
				}
			}
		}
	}
}

// line leaves out whom Microsoft keeps nothing for. A blocked sign-in keeps nobody from being moved.
func (p microsoftProvider) line(a sources.Account) accountLine {
	l := lineOf(a)
	switch a.State {
	case "unlicensed":
		l.out = true
	case "no_mailbox":
		l.kinds = "files"
	case "shared", "room", "equipment":
		l.kinds = without(p.kinds, "files")
	}
	return l
}

func (p microsoftProvider) files(account string) (sources.Source[sources.File], string) {
	if id, shared := strings.CutPrefix(account, drivePrefix); shared {
		return microsoft.Library(p.client, id), ""
	}
	return microsoft.Drive(p.client, account), "OneDrive"
}

func (p microsoftProvider) driveName(ctx context.Context, id string) (string, error) {
	return microsoft.LibraryName(ctx, p.client, id)
}

func (p microsoftProvider) mail(account string) sources.Source[sources.Message] {
	return microsoft.Mail(p.client, account, p.mails)
}

func (p microsoftProvider) calendars(ctx context.Context, account string) ([]sources.Collection, error) {
	return microsoft.Calendars(ctx, p.client, account)
}

func (p microsoftProvider) calendar(account, id string) sources.Source[sources.Event] {
	return microsoft.Calendar(p.client, account, id)
}

func (p microsoftProvider) addressBooks(ctx context.Context, account string) ([]sources.Collection, error) {
	return microsoft.ContactFolders(ctx, p.client, account)
}

func (p microsoftProvider) contacts(account, id string) sources.Source[sources.Contact] {
	return microsoft.Contacts(p.client, account, id)
}

func (p microsoftProvider) taskLists(ctx context.Context, account string) ([]sources.Collection, error) {
	return microsoft.TaskLists(ctx, p.client, account)
}

func (p microsoftProvider) tasks(account string, list sources.Collection) sources.Source[sources.Task] {
	return microsoft.Tasks(p.client, account, list.ID, list.TimeZone)
}
