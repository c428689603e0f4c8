package ctl

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// nameWidth is the least width of the first column of figures, so that tables
// below each other line up.
const nameWidth = 36

// table writes rows in columns. Call end once, after the last row.
type table struct {
	*tabwriter.Writer
	figures bool
}

// newTable returns a table of text, aligned to the left.
func newTable(w io.Writer) table {
	return table{tabwriter.NewWriter(w, 0, 0, 3, ' ', 0), false}
}

// newFigures returns a table whose rows are a name and figures below each
// other.
func newFigures(w io.Writer) table {
	return table{tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight), true}
}

// row writes the cells of one line.
func (t table) row(name any, cells ...any) {
	if t.figures {
		name = fmt.Sprintf("%-*v", nameWidth, name)
	}
	_, _ = fmt.Fprint(t, name)
	for _, c := range cells {
		_, _ = fmt.Fprintf(t, "\t%v", c)
	}
	if t.figures {
		_, _ = fmt.Fprint(t, "\t") // only what a tab ends belongs to a column
	}
	_, _ = fmt.Fprintln(t)
}

// end writes out what was gathered.
func (t table) end() { _ = t.Flush() }
