package report

import (
	"encoding/json"
	"io"
)

// WriteJSON writes a value for programs, with what HTML would take for markup escaped.
func WriteJSON(w io.Writer, v any) error { return writeJSON(w, v, true) }

// WriteReadableJSON is WriteJSON with "<", ">" and "&" as they are, for what people read as well.
func WriteReadableJSON(w io.Writer, v any) error { return writeJSON(w, v, false) }

func writeJSON(w io.Writer, v any, escaped bool) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(escaped)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
