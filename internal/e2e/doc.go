// Package e2e holds the end-to-end tests: the built program, run as a user runs it, moves a simulated Google Workspace
// into real Dovecot, Apache mod_dav, Radicale and Cyrus servers, and what lies on them afterwards is read back by other
// means than the program's own.
//
// The default run takes reduced sets of data where a test is about many runs; REPATRIATE_E2E=full takes all of it.
// Servers that are missing skip a test, unless the environment says CI=true.
//
// Moments are counted in events (requests to the provider, pieces of data from and to the servers) and never in time,
// and what is random has a seed.
package e2e
