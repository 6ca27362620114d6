package dav

import (
	"context"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/sinks"
)

// The name of a category may hold a comma, which is escaped then (RFC 5545 §3.8.1.2, RFC 6350 §6.7.1). Servers over libical, such as Cyrus
// 3.6 with events and tasks, lose the escape and make two names of one, and say nothing of it. Whether a server does so is not announced:
// the first object with such a name is read back, and written again with another letter if it did.

// standIn is what stands for a comma within a name where the server parts names at commas: the letter that looks most like it.
const standIn = "‚"

// CategoryNames returns a digest of the names of all categories, in whatever order and on however many lines they stand, if one of them
// holds a comma; otherwise it is empty.
func CategoryNames(components ...*icalendar.Component) string {
	var names []string
	for _, c := range components {
		for _, p := range c.All("CATEGORIES") {
			for _, escaped := range p.List() {
				names = append(names, strings.Join(strings.Fields(icalendar.UnescapeText(escaped)), " "))
			}
		}
	}
	if !slices.ContainsFunc(names, func(name string) bool { return strings.Contains(name, ",") }) {
		return ""
	}
	return Digest(names)
}

// JoinNames replaces the commas within names of categories.
func JoinNames(components ...*icalendar.Component) {
	for _, c := range components {
		for i, p := range c.Properties {
			if p.Name != "CATEGORIES" {
				continue
			}
			names := p.List()
			for k, escaped := range names {
				names[k] = strings.ReplaceAll(icalendar.UnescapeText(escaped), ",", standIn)
			}
			c.Properties[i].Value = icalendar.TextList(p.Name, names).Value
		}
	}
}

// unproven reports whether it has to be looked at whether the server kept the names.
func (s *Store) unproven(w write) bool { return w.want.Names != "" && !s.Client.keepsNames.Load() }

// parted writes an object again of whose categories the server made more than there were.
func (s *Store) parted(ctx context.Context, w write, href, etag string) (sinks.Written, error) {
	s.Client.partsNames.Store(true)
	if err := s.prepare(&w); err != nil {
		return sinks.Written{}, fault.New(fault.FailItem, fault.MappingInvalid, "put %s: %w", s.Format.Noun, err)
	}
	return s.replace(ctx, w, href, etag)
}

// nameLosses are those of an object that stands for w on the target.
func (s *Store) nameLosses(w write, current Object) []sinks.Loss {
	switch {
	case w.joined:
		return []sinks.Loss{{Reason: s.Format.Joined, Detail: "the server parts names of categories at commas; theirs became " + standIn}}
	case w.want.Names != "" && current.Names != w.want.Names:
		return []sinks.Loss{{Reason: s.Format.Joined, Detail: "the server parted names of categories at their commas"}}
	}
	return nil
}
