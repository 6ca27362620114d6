// Package exactlyonce holds the proof that what is moved arrives exactly once, whatever breaks: in one process, a simulated
// provider behind its official client, the engine, the mappings, the sinks and a state file on disk move a small account into
// the embedded servers, and everything that can break does break, one thing at a time.
//
// A point is a place where a run can be cut: before or after a call of the store, before, within or after a request to the
// provider or the target. An undisturbed run counts the points; then each of them gets a run of its own. The default is
// a sample; REPATRIATE_CUTS=all takes every point, and REPATRIATE_CUTS=N every N-th. docs/reliability.md says what is proven.
//
// Nothing depends on time: points are counted, what is random has a seed, and a server has finished what it was asked
// before the next run begins.
package exactlyonce
