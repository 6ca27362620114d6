// Package bench measures how fast a migration runs beside how fast its target can go at all, and how much memory it takes.
//
// Everything is in its tests. Each benchmark starts a real server, then by turns drives it with a bare load loop that
// keeps nothing but the protocol's rules (the limit) and lets the built binary migrate the same amount from the simulated
// provider, which runs in a process of its own. It reports both rates, their ratio, and what each process spent. All
// processes share the machine, so that the simulator and the binary take from the server what they need themselves:
// docs/performance.md says how to read the figures.
//
// The environment changes what is measured: BENCH_ROUNDS is how often each figure is taken (3; the best counts), and
// BENCH_SCALE multiplies the number of items (1). BENCH_ITEMS sets the job's concurrency.items.
package bench
