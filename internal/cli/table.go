package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	// nameWidth is the least width of the first column of figures, where there is room,
	// so that tables below each other line up.
	nameWidth = 36
	// tableWidth is the width that tables of figures fit wherever they are written to.
	tableWidth = usualWidth
	// textGap is the space between columns of text.
	textGap = 3
	// leastText is the least room in which a text is wrapped on a terminal.
	leastText = 20
)

// table gathers rows, and writes them in columns. Call end once, after the last row.
type table struct {
	to      io.Writer
	figures bool
	rows    [][]string
}

// newTable returns a table of text, aligned to the left. On a terminal the last column
// is wrapped to what is left of the width; nothing is cut.
func newTable(w io.Writer) *table { return &table{to: w} }

// newFigures returns a table whose rows are a name and figures below each other. It
// stands on its side where it would be wider than tableWidth; nothing is cut.
func newFigures(w io.Writer) *table { return &table{to: w, figures: true} }

// row gathers the cells of one line.
func (t *table) row(name any, cells ...any) {
	row := make([]string, 0, 1+len(cells))
	row = append(row, fmt.Sprint(name))
	for _, c := range cells {
		row = append(row, fmt.Sprint(c))
	}
	t.rows = append(t.rows, row)
}

// end writes out what was gathered. Standard output remembers an error as well.
func (t *table) end() error {
	lines := textLines(t.rows, terminalWidth(t.to))
	if t.figures {
		lines = figureLines(t.rows, tableWidth)
	}
	if len(lines) == 0 {
		return nil
	}
	_, err := io.WriteString(t.to, strings.Join(lines, "\n")+"\n")
	return err
}

// terminalWidth is how many columns the terminal has that is written to, or 0.
func terminalWidth(w io.Writer) int {
	if !isTerminal(w) {
		return 0
	}
	width, _ := sizeOf(fileOf(w))
	return width
}

// widthsOf returns the width of each column.
func widthsOf(rows [][]string) []int {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	return widths
}

// textLines returns the lines of a table of text; a width of 0 is without a bound.
func textLines(rows [][]string, width int) []string {
	widths := widthsOf(rows)
	var lines []string
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row[:len(row)-1] {
			_, _ = fmt.Fprintf(&line, "%-*s", widths[i]+textGap, cell)
		}
		last, begun := row[len(row)-1], utf8.RuneCountInString(line.String())
		if width-begun < leastText || utf8.RuneCountInString(last) <= width-begun {
			lines = append(lines, line.String()+last)
			continue
		}
		indent := strings.Repeat(" ", begun)
		for i, part := range wrapped(last, width-begun) {
			if i == 0 {
				lines = append(lines, line.String()+part)
				continue
			}
			lines = append(lines, indent+part)
		}
	}
	return lines
}

// figureLines returns the lines of a table of figures, with as much space between the
// columns as the width allows.
func figureLines(rows [][]string, width int) []string {
	widths := widthsOf(rows)
	for gap := textGap; gap > 0 && len(widths) > 0; gap-- {
		names := width - gap
		for _, w := range widths[1:] {
			names -= gap + w
		}
		if names >= widths[0] {
			widths[0] = max(widths[0], min(nameWidth, names))
			return inColumns(rows, widths, gap)
		}
	}
	sides := turned(rows)
	if len(sides) == 0 || len(sides[0]) >= len(rows[0]) { // it would not get narrower
		return inColumns(rows, widths, 1)
	}
	return inColumns(sides, widthsOf(sides), 1)
}

func inColumns(rows [][]string, widths []int, gap int) []string {
	lines := make([]string, len(rows))
	for i, row := range rows {
		var line strings.Builder
		_, _ = fmt.Fprintf(&line, "%*s%-*s", gap, "", widths[0], row[0])
		for j, cell := range row[1:] {
			_, _ = fmt.Fprintf(&line, "%*s", gap+widths[j+1], cell)
		}
		lines[i] = line.String()
	}
	return lines
}

// turned makes columns of rows, which have the same number of cells.
func turned(rows [][]string) [][]string {
	if len(rows) == 0 {
		return nil
	}
	sides := make([][]string, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			sides[i] = append(sides[i], cell)
		}
	}
	return sides
}
