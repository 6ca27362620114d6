package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"codeberg.org/repatriate/repatriate/docs"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/report"
)

func newExplain() *cobra.Command {
	var json bool
	c := &cobra.Command{
		Use:   "explain [REASON…]",
		Short: "Say what a reason in a summary means, and what to do about it",
		Long: `explain says what the reasons and losses mean by which summaries and reports count, such as
source.malware or file.renamed, and what to do about each. Without an argument it lists all of them.

Exit codes: 0 explained; 2 there is no such reason.`,
		Example: `  repatriate explain source.malware file.renamed
  repatriate explain --json`,
		RunE: func(c *cobra.Command, args []string) error {
			e, err := explained(args)
			if err != nil {
				return usage(err)
			}
			return show(c.OutOrStdout(), e, json)
		},
		ValidArgsFunction: offeredReasons,
	}
	c.Flags().BoolVar(&json, "json", false, "print the explanations as JSON")
	return c
}

func reasonNames() []string {
	var names []string
	for _, r := range docs.ListReasons() {
		names = append(names, r.Name)
	}
	return names
}

// explained returns the reasons that are asked for in that order; all of them if none is.
func explained(names []string) (report.Explanation, error) {
	all := docs.ListReasons()
	if len(names) == 0 {
		return all, nil
	}
	var e report.Explanation
	for _, name := range names {
		i := slices.IndexFunc(all, func(r docs.Reason) bool { return r.Name == strings.ToLower(name) })
		if i < 0 {
			return nil, fmt.Errorf("there is no reason %q.%s 'repatriate explain' lists all", name, suggestReasons(name))
		}
		e = append(e, all[i])
	}
	return e, nil
}

// maxSuggestions bounds how many reasons are named instead of one that does not exist.
const maxSuggestions = 5

// suggestReasons names those that hold what was typed, or else the one that is most like it with or without its first word.
func suggestReasons(name string) string {
	name = strings.ToLower(name)
	var near []string
	for _, r := range reasonNames() {
		if name != "" && strings.Contains(r, name) && len(near) < maxSuggestions {
			near = append(near, r)
		}
	}
	if len(near) == 0 {
		near = nearestReasons(name)
	}
	if len(near) == 0 {
		return ""
	}
	return fmt.Sprintf(" Did you mean %s?", strings.Join(near, ", "))
}

func nearestReasons(name string) []string {
	names := reasonNames()
	if best := config.Nearest(name, names); best != "" && strings.Contains(name, ".") {
		return []string{best}
	}
	ends := make([]string, len(names))
	for i, n := range names {
		_, ends[i], _ = strings.Cut(n, ".")
	}
	best := config.Nearest(name, ends)
	var near []string
	for i, end := range ends {
		if best != "" && end == best && len(near) < maxSuggestions {
			near = append(near, names[i])
		}
	}
	return near
}
