package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/htmlreport"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// completeAll says for root and its commands what a shell offers in the place of arguments and flags. Nothing is asked over the network for
// it, and no command runs.
func completeAll(root *cobra.Command) {
	switch {
	case strings.Contains(root.Use, "JOB.yaml"):
		root.ValidArgsFunction = jobFiles
	case strings.Contains(root.Use, "[google|microsoft]"):
		root.ValidArgs = providers
	}
	for _, flags := range []*pflag.FlagSet{root.Flags(), root.PersistentFlags()} {
		flags.VisitAll(func(f *pflag.Flag) {
			if complete := completionOf(f); complete != nil {
				_ = root.RegisterFlagCompletionFunc(f.Name, complete) // the flag is there, and has none yet
			}
		})
	}
	for _, c := range root.Commands() {
		completeAll(c)
	}
}

// completionOf is what is offered for a flag by its name, which means the same for all commands; nil for one that takes no value.
func completionOf(f *pflag.Flag) cobra.CompletionFunc {
	if f.NoOptDefVal == "true" {
		return nil
	}
	switch f.Name {
	case "account":
		return severally(offeredAccounts)
	case "kind":
		return severally(func(*cobra.Command, []string) []cobra.Completion { return config.Kinds })
	case "source":
		return severally(func(*cobra.Command, []string) []cobra.Completion { return providers })
	case "wave":
		return offeredWaves
	case "names":
		rules := []string{"local", "keep", "first.last", columnRule, "mail="}
		return cobra.FixedCompletions(rules, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveNoSpace)
	}
	if words, ok := flagWords()[f.Name]; ok {
		return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
	}
	if ends, ok := flagFiles[f.Name]; ok {
		return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return ends.names, ends.directive
		}
	}
	return cobra.NoFileCompletions
}

// flagWords are the values of flags that have few.
func flagWords() map[string][]string {
	return map[string][]string{
		"provider": providers, "lang": htmlreport.Languages(), "all-grade": {"B", "C", "D"}, "quotas": tiers,
		"log-level": {"debug", "info", "warn", "error"}, "log-format": {"text", "json"},
	}
}

// paths are files with certain ends, folders, or any files.
type paths struct {
	names     []string
	directive cobra.ShellCompDirective
}

var (
	folders = paths{directive: cobra.ShellCompDirectiveFilterDirs}
	anyFile = paths{directive: cobra.ShellCompDirectiveDefault}
)

func endingIn(ends ...string) paths { return paths{ends, cobra.ShellCompDirectiveFilterFileExt} }

// flagFiles are the flags that name files or folders.
var flagFiles = map[string]paths{
	"output": anyFile, "input": anyFile, "markdown": anyFile, "losses": anyFile,
	"html": endingIn("html"), "csv": endingIn("csv"), "waves": endingIn("csv"),
	"steps": endingIn("yaml", "yml"), "target": endingIn("yaml", "yml"), "dir": folders, "data": folders, "man": folders, "per-account": folders,
}

// jobFiles offers the one argument of most commands.
func jobFiles(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

// severally completes a flag that takes several values, separated by commas: those that were not given yet.
func severally(all func(c *cobra.Command, args []string) []cobra.Completion) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		before := begun[:strings.LastIndexByte(begun, ',')+1]
		given := strings.Split(before, ",")
		var out []cobra.Completion
		for _, v := range all(c, args) {
			word, _, _ := strings.Cut(v, "\t")
			if strings.HasPrefix(word, begun[len(before):]) && !slices.Contains(given, word) {
				out = append(out, before+v)
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
}

// jobOfArgs reads the job file among the arguments; nil if there is none, or none that can be read.
func jobOfArgs(args []string) *config.Job {
	if len(args) == 0 {
		return nil
	}
	job, err := config.Open(args[0])
	if err != nil {
		return nil
	}
	return job
}

const jobFirst = "name the job file first: what it holds is offered then"

// offeredAccounts are the accounts of the job, with what they are called on the target.
func offeredAccounts(_ *cobra.Command, args []string) []cobra.Completion {
	job := jobOfArgs(args)
	if job == nil {
		return cobra.AppendActiveHelp(nil, jobFirst)
	}
	file, err := job.CheckAccounts()
	if err != nil {
		return nil
	}
	out := make([]cobra.Completion, 0, len(file.People))
	for _, p := range file.People {
		if shown := report.Clean(p.Source, maxShown); shown == p.Source && !strings.Contains(shown, ",") {
			out = append(out, cobra.CompletionWithDesc(p.Source, report.Clean(p.Target, maxShown)))
		}
	}
	return out
}

// offeredWaves offers the waves of the wave plan.
func offeredWaves(c *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	job := jobOfArgs(args)
	if job == nil {
		return cobra.AppendActiveHelp(nil, jobFirst), cobra.ShellCompDirectiveNoFileComp
	}
	path, err := c.Flags().GetString("waves")
	if err != nil || path == "" {
		path = job.WavesPath()
	}
	names, err := config.WaveNames(path)
	if err != nil {
		return cobra.AppendActiveHelp(nil, "there is no wave plan yet: 'repatriate plan --waves' writes one"), cobra.ShellCompDirectiveNoFileComp
	}
	out := slices.DeleteFunc(names, func(name string) bool { return report.Clean(name, maxShown) != name || !strings.HasPrefix(name, begun) })
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// offeredReasons offers the reasons that were not named yet.
func offeredReasons(_ *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	unfit := func(name string) bool { return !strings.HasPrefix(name, begun) || slices.Contains(args, name) }
	return slices.DeleteFunc(reasonNames(), unfit), cobra.ShellCompDirectiveNoFileComp
}
