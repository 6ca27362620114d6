package carddav

import (
	"context"
	"slices"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/internal/dav"
)

// The losses where the user of the target changed a contact there, or has another one in its place.
const (
	LossRenamed = "contact.conflict_renamed" // the user's stays, and the contact lies beside it with another UID
	LossAside   = "contact.conflict_aside"   // the user's lies beside the contact, with another UID
)

var _ sinks.Keeper[sinks.Contact] = (*Sink)(nil)

// Beside implements sinks.Keeper.
func (s *Sink) Beside(ctx context.Context, item sinks.Item[sinks.Contact], prev sinks.Receipt) (sinks.Receipt, error) {
	return s.store.Beside(ctx, dav.Item{ID: item.ID, Again: item.Again, Data: item.Content.Data}, prev)
}

// Aside implements sinks.Keeper.
func (s *Sink) Aside(ctx context.Context, item sinks.Item[sinks.Contact], prev sinks.Receipt) (sinks.Receipt, *sinks.Loss, error) {
	return s.store.Aside(ctx, dav.Item{ID: item.ID, Again: item.Again, Data: item.Content.Data}, prev)
}

// copyCard returns the card with another UID.
func copyCard(data []byte, uid string) ([]byte, error) {
	card, err := icalendar.ParseCard(data)
	if err != nil {
		return nil, err
	}
	card.Properties = slices.DeleteFunc(card.Properties, func(p icalendar.Property) bool { return p.Name == dav.DigestProperty })
	for i, p := range card.Properties {
		if p.Name == "UID" {
			card.Properties[i] = icalendar.Text("UID", uid)
		}
	}
	return card.Bytes(), nil
}
