package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteTable writes the rows and what was skipped as one table of text.
func WriteTable(w io.Writer, rows []Row, skips []Skip) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, strings.Join(columns(), "\t"))
	for _, r := range rows {
		_, _ = fmt.Fprintln(t, strings.Join(r.cells(), "\t"))
	}
	for _, s := range skips {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\tskipped: %s\n", s.Key.Scenario, s.Key.System, s.Key.Figure, oneLine(s.Reason))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

// oneLine keeps a reason, which may quote a log, from breaking the table.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
