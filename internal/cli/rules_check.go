package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"orderprocessor/internal/order"
	"orderprocessor/internal/rules"
)

const rulesCheckHelp = `check reads a rule set, of a file in YAML or JSON or of standard input, and compiles
its rules as the API does. It contacts nothing.

Every problem is written on a line of its own, with its place in the file, and the exit
status is 1. For a set without problems check writes its version, by which the API will
know it.`

// rulesCheck checks one rule set.
type rulesCheck struct {
	*World
	output format
}

func newRulesCheck(w *World) *cobra.Command {
	c := &rulesCheck{World: w}
	cmd := &cobra.Command{
		Use: "check FILE", Short: "Check a rule set without the API", Long: rulesCheckHelp,
		Example: `  orderctl rules check rules.yaml
  orderctl rules check - < rules.json
  orderctl rules check rules.yaml -o json | jq -r '.problems[].message'`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault), // any file
		RunE:              func(_ *cobra.Command, args []string) error { return c.run(args[0]) },
	}
	addOutputFlag(cmd, &c.output)
	return cmd
}

// rulesChecked is what check found.
type rulesChecked struct {
	File string `json:"file"`
	// Rules and Version are those of a set without problems.
	Rules    int             `json:"rules,omitempty"`
	Version  string          `json:"version,omitempty"`
	Problems []rules.Problem `json:"problems"`
}

func (c *rulesCheck) run(name string) error {
	source, err := c.read(name)
	if err != nil {
		return fmt.Errorf("read the rules: %w", err)
	}
	found := rulesChecked{File: name, Problems: []rules.Problem{}}
	set, err := rules.Parse(source)
	var invalid *rules.Invalid
	switch {
	case errors.As(err, &invalid):
		found.Problems = invalid.Problems
	case err != nil:
		return err
	default:
		found.Rules, found.Version = len(set.Rules()), set.Version()
	}
	return c.report(found)
}

// report shows what was found. Problems are an error.
func (c *rulesCheck) report(found rulesChecked) error {
	if err := c.show(found); err != nil || len(found.Problems) == 0 {
		return err
	}
	return fmt.Errorf("%s is no rule set; problems: %d", found.File, len(found.Problems))
}

// read returns the document, or so much of it that it is known to be too long.
func (c *rulesCheck) read(name string) ([]byte, error) {
	const enough = rules.MaxDocumentBytes + 1
	if name == "-" {
		if isTerminal(c.Stdin) {
			_, _ = fmt.Fprintln(c.Stderr, "Reading rules from the terminal; end with Ctrl-D.")
		}
		return io.ReadAll(io.LimitReader(c.Stdin, enough))
	}
	f, err := os.Open(name) //nolint:gosec // the caller names the file
	if err != nil {
		return nil, err
	}
	source, err := io.ReadAll(io.LimitReader(f, enough))
	return source, errors.Join(err, f.Close())
}

func (c *rulesCheck) show(found rulesChecked) error {
	if c.output == formatJSON {
		return c.printJSON(found)
	}
	for _, p := range found.Problems {
		c.printf("%s:%d:%d: %s: %s\n", order.Escape(found.File), p.Line, p.Column, p.Field, order.Escape(p.Message))
	}
	if found.Version != "" {
		c.printf("%s: %s, version %s\n", order.Escape(found.File), countRules(found.Rules), found.Version)
	}
	return nil
}

// countRules is a number of rules, for sentences.
func countRules(n int) string {
	if n == 1 {
		return "1 rule"
	}
	return fmt.Sprintf("%d rules", n)
}
