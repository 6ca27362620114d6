// Package licences holds the test that reads the licence of each module that is built into repatriate. docs/licences.md lists them.
package licences
