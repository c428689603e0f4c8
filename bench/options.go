package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"orderprocessor/bench/scenario"
)

// options are what the suite was asked for.
type options struct {
	smoke  bool
	runs   int
	only   []string
	report string
	base   string
}

// maxRuns keeps a mistyped number from taking days.
const maxRuns = 100

// parse reads the flags. It prints what is wrong with them before it returns an
// error.
func parse(args []string) (options, error) {
	var o options
	var only string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.BoolVar(&o.smoke, "smoke", false, "do very little of everything, to see whether it runs; says nothing about speed")
	flags.IntVar(&o.runs, "runs", 3, "how often everything is measured")
	flags.StringVar(&only, "only", "", "scenarios to measure, with commas between: "+strings.Join(scenario.Names(), ","))
	flags.StringVar(&o.report, "report", "", "file for the report in Markdown")
	flags.StringVar(&o.base, "base", "", "directory of another commit, checked out, with which cost is compared")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if only != "" {
		o.only = strings.Split(only, ",")
	}
	err := o.check(flags.Args())
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
	}
	return o, err
}

// check lists everything that is wrong.
func (o options) check(rest []string) error {
	var problems []error
	if len(rest) > 0 {
		problems = append(problems, fmt.Errorf("unknown arguments %q", rest))
	}
	if o.runs < 1 || o.runs > maxRuns {
		problems = append(problems, fmt.Errorf("-runs must be 1 to %d", maxRuns))
	}
	for _, name := range o.only {
		if !slices.Contains(scenario.Names(), name) {
			problems = append(problems, fmt.Errorf("-only: no scenario %q", name))
		}
	}
	return errors.Join(problems...)
}

// wants reports whether a scenario is to be measured. Growth takes longest by
// far, so it must be named, except that a smoke run does very little of it, too.
func (o options) wants(name string) bool {
	if len(o.only) > 0 {
		return slices.Contains(o.only, name)
	}
	return o.smoke || name != scenario.Growth
}
