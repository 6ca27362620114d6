// Package deltamodel has tests alone: calendars, contacts and tasks of simulated accounts are edited at random between passes, and after
// each pass all that lies on the target is compared with all that is at the source.
//
// What must be on the target is computed from the provider's own JSON, without the code that converts it, and what is there is read by
// parsers that are not those of the program.
//
// REPATRIATE_EDITS=n makes n edits of each kind instead of the few hundred of every day:
//
//	REPATRIATE_EDITS=5000 go test ./internal/deltamodel -timeout 60m -v
package deltamodel
