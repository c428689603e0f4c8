package report

import (
	"fmt"
	"io"
	"strings"
)

// Fact is one line of what the figures depend on.
type Fact struct {
	// Name is what it is about.
	Name string
	// Value is what is true of it.
	Value string
}

// Document is all that a report says.
type Document struct {
	// Machine, Versions and Settings are what the figures depend on.
	Machine, Versions, Settings []Fact
	// Notes say how to read the figures; each is a paragraph.
	Notes []string
	// Rows are the figures, and Skips what could not be measured.
	Rows  []Row
	Skips []Skip
}

// WriteMarkdown writes the report.
func WriteMarkdown(w io.Writer, d Document) error {
	var b strings.Builder
	b.WriteString("# Bench report\n\n")
	for _, note := range d.Notes {
		b.WriteString(note + "\n\n")
	}
	table(&b, "Machine", []string{"what", "is"}, d.Machine, Fact.cells)
	table(&b, "Versions", []string{"what", "is"}, d.Versions, Fact.cells)
	table(&b, "Settings", []string{"what", "is"}, d.Settings, Fact.cells)
	table(&b, "Figures", columns(), d.Rows, Row.cells)
	if len(d.Skips) > 0 {
		table(&b, "Skipped", []string{"scenario", "system", "reason"}, d.Skips, Skip.cells)
	}
	if _, err := io.WriteString(w, strings.TrimSuffix(b.String(), "\n")); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

func (f Fact) cells() []string { return []string{f.Name, f.Value} }

func (s Skip) cells() []string { return []string{s.Key.Scenario, s.Key.System, s.Reason} }

// table writes a section with one table.
func table[T any](b *strings.Builder, title string, columns []string, rows []T, cells func(T) []string) {
	b.WriteString("## " + title + "\n\n")
	line(b, columns)
	b.WriteString("|" + strings.Repeat("---|", len(columns)) + "\n")
	for _, row := range rows {
		line(b, cells(row))
	}
	b.WriteString("\n")
}

// line writes a row, without what would end a cell or the row.
func line(b *strings.Builder, cells []string) {
	clean := strings.NewReplacer("|", `\|`, "\n", " ")
	for _, c := range cells {
		b.WriteString("| " + clean.Replace(c) + " ")
	}
	b.WriteString("|\n")
}
