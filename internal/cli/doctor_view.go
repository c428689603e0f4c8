package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"orderprocessor/internal/app"
)

// arrow marks what to do.
const arrow = "→ "

// findingIndent stands before the lines of a finding on a terminal.
const findingIndent = "    "

// show writes what was found: as JSON, for people at a terminal, or a line for each
// finding to search through.
func (d *doctor) show(r diagnosis) error {
	if d.output == formatJSON {
		text, err := json.Marshal(r)
		if err != nil {
			return err
		}
		return d.printJSON(text)
	}
	if isTerminal(d.Stdout) {
		width, _ := sizeOf(fileOf(d.Stdout))
		d.printf("%s", strings.Join(screenOf(r.Findings, width), "\n")+"\n")
	} else {
		d.showRows(r.Findings)
	}
	d.printf("\nproblems: %d, warnings: %d\n", r.Problems, r.Warnings)
	return nil
}

func (d *doctor) showRows(findings []app.Finding) {
	t := newTable(d.Stdout)
	for _, f := range findings {
		found := f.Found
		if f.Advice != "" {
			found += "  " + arrow + f.Advice
		}
		t.row(f.State, f.Area, f.Check, found)
	}
	_ = t.end()
}

// screenOf returns the lines that show findings on a terminal: a title for each, and
// what was found and what to do below it, wrapped to the width.
func screenOf(findings []app.Finding, width int) []string {
	var lines []string
	for _, f := range findings {
		lines = append(lines, fmt.Sprintf("%-*s  %s: %s", len(app.FindingNotChecked), f.State, f.Area, f.Check))
		texts := wrapped(f.Found, width-len(findingIndent))
		if f.Advice != "" {
			texts = append(texts, wrapped(arrow+f.Advice, width-len(findingIndent))...)
		}
		for _, text := range texts {
			lines = append(lines, findingIndent+text)
		}
	}
	return lines
}

// wrapped breaks a text between its words into lines of at most so many characters.
// A longer word, such as a path, stays whole, so that it can be copied.
func wrapped(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}
