// Package examples holds the examples that the program itself shows: they are part of the binary.
package examples

import (
	"embed"
	"io/fs"
)

//go:embed organisation
var files embed.FS

// Organisation is the fictional organisation of the demo; organisation/README.md describes its format.
func Organisation() fs.FS {
	sub, err := fs.Sub(files, "organisation")
	if err != nil {
		panic(err) // the name is a constant and valid
	}
	return sub
}
