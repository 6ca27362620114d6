package manual_test

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"codeberg.org/repatriate/repatriate/internal/manual"
)

// program is one with everything that a reference has to show.
func program() *cobra.Command {
	root := &cobra.Command{Use: "mover", Short: "Move things", Long: "mover moves *things*.\n\nExit codes: 0 moved; 3 not all."}
	root.PersistentFlags().String("log", "error", "what is logged")
	run := &cobra.Command{
		Use: "run JOB.yaml", Short: "Move what is new", Run: func(*cobra.Command, []string) {},
		Long: `run moves what is new. 'mover run' may be
repeated, and --force repeats all.

The forms:
  short   a | b
  long    a_b
.dots stay dots.

Exit codes: 0 moved; 2 usage; or a file
is there; 130 interrupted.`,
		Example: "  mover run a.yaml\n  mover run a.yaml --force",
	}
	run.Flags().Bool("force", false, "move again, all|none")
	run.Flags().Int("most", 4, "at most this number")
	hidden := &cobra.Command{Use: "secret", Short: "Not for people", Hidden: true, Run: run.Run}
	group := &cobra.Command{Use: "state", Short: "What is remembered"}
	group.AddCommand(&cobra.Command{Use: "check JOB.yaml", Short: "Check it", Run: run.Run})
	root.AddCommand(run, hidden, group)
	return root
}

func TestMarkdown(t *testing.T) {
	var b strings.Builder
	if err := manual.Markdown(&b, program(), "An introduction."); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# Commands\n\nAn introduction.\n",
		"| [`mover run`](#mover-run) | Move what is new |\n",
		"mover moves \\*things\\*.\n",
		"## mover run\n\nMove what is new.\n\n```\nmover run JOB.yaml [flags]\n```\n",
		"and `--force` repeats all.\n\nThe forms:\n\n```\n  short   a | b\n  long    a_b\n```\n\n.dots stay dots.\n",
		"| `--force` | move again, all\\|none |\n| `--most int` | at most this number (default `4`) |\n",
		"```\nmover run a.yaml\nmover run a.yaml --force\n```\n",
		"| 0 | moved |\n| 2 | usage; or a file is there |\n| 130 | interrupted |\n",
		"* [`mover state check`](#mover-state-check)\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("it lacks %q:\n%s", want, b.String())
		}
	}
	for _, not := range []string{"secret", "--help", "mover help"} {
		if strings.Contains(b.String(), not) {
			t.Errorf("it shows %q", not)
		}
	}
	var again strings.Builder
	if err := manual.Markdown(&again, program(), "An introduction."); err != nil || again.String() != b.String() {
		t.Errorf("another time it is another text: %v", err)
	}
}

func TestPages(t *testing.T) {
	pages := make(map[string]string)
	for _, p := range manual.Pages(program()) {
		pages[p.Name] = p.Text
	}
	if len(pages) != 4 {
		t.Errorf("%d pages", len(pages))
	}
	for _, want := range []string{
		".TH \"MOVER-RUN\" 1 \"\" \"mover\" \"User commands\"\n.SH NAME\nmover\\-run \\- Move what is new\n",
		".PP\n.nf\n  short   a | b\n  long    a_b\n.fi\n.PP\n\\&.dots stay dots.\n",
		".TP\n\\fB\\-\\-most\\fR \\fIint\\fR\nat most this number (default: 4)\n",
		".SH EXIT STATUS\n.TP\n0\nmoved\n.TP\n2\nusage; or a file is there\n",
		".SH SEE ALSO\n\\fBmover\\fR(1)\n",
	} {
		if !strings.Contains(pages["mover-run.1"], want) {
			t.Errorf("it lacks %q:\n%s", want, pages["mover-run.1"])
		}
	}
	if !strings.Contains(pages["mover.1"], "\\fBmover\\-state\\-check\\fR(1)") {
		t.Errorf("the program's page names not all others:\n%s", pages["mover.1"])
	}
	for name, text := range pages {
		for line := range strings.Lines(text) {
			request, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			if strings.HasPrefix(line, ".") && !strings.Contains(" .TH .SH .PP .TP .nf .fi ", " "+request+" ") || strings.HasPrefix(line, "'") {
				t.Errorf("%s: a line became a request: %s", name, line)
			}
		}
	}
}
