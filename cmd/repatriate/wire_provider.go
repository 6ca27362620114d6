package main

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/estimate"
	"codeberg.org/repatriate/repatriate/internal/report"
	"codeberg.org/repatriate/repatriate/internal/secret"
	"codeberg.org/repatriate/repatriate/sources"
)

// provider is what differs between the clouds that are moved from. An account is named as in the accounts file.
type provider interface {
	directoryProvider
	storeProvider
	calendarProvider
	contactProvider
	lookProvider
	priceProvider
}

type directoryProvider interface {
	// accounts yields what the directory holds, and line what an accounts file says of it.
	accounts(ctx context.Context) iter.Seq2[sources.Account, error]
	line(a sources.Account) accountLine
}

type storeProvider interface {
	// files returns the account's files and what people call the place where they lie; empty for a drive, which has a name of its own.
	files(account string) (src sources.Source[sources.File], name string)
	// driveName asks what a shared drive or document library is called, by its id.
	driveName(ctx context.Context, id string) (string, error)
	mail(account string) sources.Source[sources.Message]
}

type calendarProvider interface {
	calendars(ctx context.Context, account string) ([]sources.Collection, error)
	calendar(account, id string) sources.Source[sources.Event]
	taskLists(ctx context.Context, account string) ([]sources.Collection, error)
	tasks(account string, list sources.Collection) sources.Source[sources.Task]
}

type contactProvider interface {
	addressBooks(ctx context.Context, account string) ([]sources.Collection, error)
	contacts(account, id string) sources.Source[sources.Contact]
}

type priceProvider interface {
	// prices are what moving costs in the provider's units, by the numbers by which the provider's budgets are kept.
	prices() estimate.Prices
}

// drivePrefix marks a shared drive or a document library among the accounts: what follows is its id.
const drivePrefix = report.DrivePrefix

// without returns the job's kinds but for some, as an accounts file lists them.
func without(kinds []string, some ...string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(kinds), func(k string) bool { return slices.Contains(some, k) }), " ")
}

// newProvider connects to the provider that the job file names. It sends nothing yet.
func (w *wiring) newProvider(ctx context.Context) (provider, error) {
	if w.job.Source.Microsoft != nil {
		return w.newMicrosoft(ctx)
	}
	return w.newGoogle(ctx)
}

// secretOf reads what a key of the job file references; nothing where it is empty.
func (w *wiring) secretOf(ctx context.Context, key, ref string) (secret.Secret, error) {
	if ref == "" {
		return secret.Secret{}, nil
	}
	s, err := w.secrets.Resolve(ctx, ref)
	if err != nil {
		return s, usage(fmt.Errorf("%s: %w", key, err))
	}
	return s, nil
}
