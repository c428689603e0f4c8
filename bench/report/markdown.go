package report

import (
	"fmt"
	"io"
	"strings"
)

// Fact is one line of what the figures depend on.
type Fact struct {
	// Name says what it is about.
	Name string
	// Value is what holds.
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
	facts(&b, "Machine", d.Machine)
	facts(&b, "Versions", d.Versions)
	facts(&b, "Settings", d.Settings)
	b.WriteString("## Figures\n\n")
	head(&b, columns())
	for _, r := range d.Rows {
		line(&b, r.cells())
	}
	skipped(&b, d.Skips)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

func facts(b *strings.Builder, title string, all []Fact) {
	b.WriteString("## " + title + "\n\n")
	head(b, []string{"what", "is"})
	for _, f := range all {
		line(b, []string{f.Name, f.Value})
	}
	b.WriteString("\n")
}

func skipped(b *strings.Builder, skips []Skip) {
	if len(skips) == 0 {
		return
	}
	b.WriteString("\n## Skipped\n\n")
	head(b, []string{"scenario", "system", "reason"})
	for _, s := range skips {
		line(b, []string{s.Key.Scenario, s.Key.System, s.Reason})
	}
}

func head(b *strings.Builder, cells []string) {
	line(b, cells)
	b.WriteString("|" + strings.Repeat("---|", len(cells)) + "\n")
}

// line writes a row; what would end a cell or the row is put out of the way.
func line(b *strings.Builder, cells []string) {
	clean := strings.NewReplacer("|", `\|`, "\n", " ")
	for i, c := range cells {
		if i == 0 {
			b.WriteString("|")
		}
		b.WriteString(" " + clean.Replace(c) + " |")
	}
	b.WriteString("\n")
}
