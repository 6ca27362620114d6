// Package deltamodel has tests alone: simulated accounts are edited at random between passes, and after each pass all that lies on the
// target is compared with what must be there.
//
// Everything but the network of the world is real: the sources with the official clients, the engine and the mapping, the sinks and a
// ledger on disk. What the target must hold is worked out without the code that moves: for files and mail from the edits alone, for
// events, contacts and tasks from the provider's own JSON. What is there is read by parsers that are not those of the program.
//
// There is one rig for every kind and provider. A plan of edits and passes comes from a seed (plan_test.go); a bench plays it, breaks
// passes off, lets positions expire and makes the checks that hold everywhere (bench_test.go); pages repeat and reorder what they list
// (noise_test.go). A kind at a provider is a world (world_test.go): an account that can be edited, and a model of its target.
//
// The usual test plays a few fixed seeds. REPATRIATE_EDITS=n makes n edits of each kind at each provider instead, from new seeds or from
// REPATRIATE_SEED on; a failure prints its seed and the shortest plan that was found to fail.
//
//	REPATRIATE_EDITS=5000 go test ./internal/deltamodel -timeout 60m -v
package deltamodel
