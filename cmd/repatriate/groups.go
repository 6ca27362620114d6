package main

import (
	"github.com/spf13/cobra"
)

// groups are the commands in the order of a migration, as the help of the program shows them.
var groups = []struct {
	title string
	names []string
}{
	{"To see it work, without an account anywhere:", []string{"demo", "simulate"}},
	{"Before:", []string{"init", "accounts", "check", "plan", "approve"}},
	{"During, again and again:", []string{"run", "status", "retry", "explain"}},
	{"After, and to prove it:", []string{"verify", "report", "calendars", "undo"}},
	{"Besides:", []string{"state", "version", "help", "completion"}},
}

// grouped puts the commands of the program into their groups.
func grouped(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	at := make(map[string]*cobra.Command)
	for _, c := range root.Commands() {
		at[c.Name()] = c
	}
	root.SetHelpCommandGroupID("Besides:")
	root.SetCompletionCommandGroupID("Besides:")
	for _, g := range groups {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title})
		for _, name := range g.names {
			if c := at[name]; c != nil { // completion is made later
				c.GroupID = g.title
				root.RemoveCommand(c)
				root.AddCommand(c)
			}
		}
	}
}
