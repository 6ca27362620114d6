// Package modeltest holds tests that edit simulated accounts at random between passes, and compare the whole target with what the
// edits should have made of it.
//
// Everything but the network of the world is real: the sources with the official clients, the engine and the mapping, the sinks
// and a ledger on disk. What the target must hold is worked out from the edits alone, by other code than the one that moves.
//
// The usual test plays a sample of fixed seeds. REPATRIATE_EDITS=n plays n edits for each kind and provider instead, from
// new seeds or from REPATRIATE_SEED; a failure prints its seed and the shortest plan that was found to fail.
package modeltest
