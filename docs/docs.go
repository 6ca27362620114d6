// Package docs holds the documents that the program itself quotes: they are part of the binary.
package docs

import _ "embed"

// Reasons is reasons.md: what each reason and each loss means, and what to do about it.
//
//go:embed reasons.md
var Reasons string
