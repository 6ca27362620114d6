package embedded

import (
	"fmt"
	"slices"
	"strings"
)

// parseCard checks a vCard (RFC 6350 §3.3, RFC 6352 §5.1). Lines may end with LF
// alone, which real servers take too.
func parseCard(text string) (parsed, error) {
	refuse := func(format string, args ...any) (parsed, error) {
		return parsed{}, &invalid{"valid-address-data", fmt.Errorf(format, args...)}
	}
	if !strings.Contains(text, "\r\n") {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	roots, err := parseComponents(text)
	if err != nil {
		return refuse("%w", err)
	}
	if len(roots) != 1 || roots[0].name != "VCARD" {
		return refuse("not one VCARD")
	}
	card := roots[0]
	version := card.value("VERSION")
	switch {
	case len(card.children) > 0:
		return refuse("%s within a VCARD", card.children[0].name)
	case len(card.all("VERSION")) != 1:
		return refuse("%d VERSIONs, want one", len(card.all("VERSION")))
	case !slices.Contains([]string{"3.0", "4.0"}, version):
		return parsed{}, &invalid{"supported-address-data", fmt.Errorf("VERSION is %q", version)}
	case version == "4.0" && card.lines[0].name != "VERSION": // RFC 6350 §3.3
		return refuse("VERSION does not come first")
	case card.value("UID") == "" || len(card.all("UID")) > 1:
		return refuse("no UID of its own")
	case card.value("FN") == "":
		return refuse("no FN")
	case version == "3.0" && len(card.all("N")) != 1: // RFC 2426 §4
		return refuse("%d Ns, want one", len(card.all("N")))
	}
	return parsed{uid: card.value("UID"), kind: "VCARD", root: card}, nil
}
