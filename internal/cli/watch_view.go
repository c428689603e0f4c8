package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// The looks of a line, as terminals take them.
const (
	bold   = "\x1b[1m"
	red    = "\x1b[1;31m"
	yellow = "\x1b[33m"
	faint  = "\x1b[2m"
	plain  = "\x1b[0m"
)

const (
	// columnGap is the space between two tables.
	columnGap = "     "
	// besideWidth is the least width at which tables stand beside each other.
	besideWidth = statusWidths + len(columnGap) + latencyWidths
	// alarm marks a figure that is not as it must be, for those who see no colours.
	alarm = "! "
)

// styled is a line of the screen and its look.
type styled struct{ text, look string }

// view returns the lines that fill a screen of the size, the last of them with the
// keys.
func (d *display) view(width, height int) []string {
	lines := d.head(width)
	if !d.shown.stats.at.IsZero() {
		lines = append(lines, d.figures(width)...)
	}
	lines = append(lines, d.events(width, max(0, height-len(lines)-2))...)
	lines = lines[:min(len(lines), max(0, height-1))]
	for len(lines) < height-1 {
		lines = append(lines, styled{})
	}
	lines = append(lines, styled{d.keys(), faint})
	return d.paint(lines, width)
}

// paint cuts the lines to the width and gives them their looks.
func (d *display) paint(lines []styled, width int) []string {
	painted := make([]string, len(lines))
	for i, l := range lines {
		painted[i] = strings.TrimRight(cutWords(l.text, width), " ")
		if d.colour && l.look != "" {
			painted[i] = l.look + painted[i] + plain
		}
	}
	return painted
}

// cutWords cuts a text to so many characters, between words, so that no figure loses its
// end; a word that fills the line is shortened.
func cutWords(text string, n int) string {
	const mark = " …"
	room := n - utf8.RuneCountInString(mark)
	chars := []rune(text)
	switch {
	case len(chars) <= n:
		return text
	case room <= 0:
		return shortened(text, n)
	}
	end := room
	for end > 0 && chars[end] != ' ' {
		end--
	}
	if end == 0 {
		return shortened(text, n)
	}
	return strings.TrimRight(string(chars[:end]), " ") + mark
}

func (d *display) keys() string {
	if d.paused {
		return "q quit   p go on"
	}
	return "q quit   p pause"
}

// head says what is watched, and how it is with that.
func (d *display) head(width int) []styled {
	state, look := d.state()
	title := "orderctl watch  " + d.api
	if utf8.RuneCountInString(title+"  "+state) > width {
		return []styled{{title, bold}, {state, look}, {}}
	}
	return []styled{{title + strings.Repeat(" ", width-utf8.RuneCountInString(title+state)) + state, look}, {}}
}

// state says whether the figures are of now.
func (d *display) state() (text, look string) {
	p := d.shown
	of := p.stats.at.UTC().Format(time.TimeOnly) + " UTC"
	switch {
	case p.err != nil && p.stats.at.IsZero():
		return away(p.err), red
	case p.err != nil:
		return away(p.err) + ": figures of " + of, red
	case p.stats.at.IsZero():
		return "connecting", yellow
	case d.paused:
		return "paused at " + of, yellow
	default:
		return of, bold
	}
}

// figures are all tables.
func (d *display) figures(width int) []styled {
	v := d.shown.stats.stats
	lines := append([]styled{{d.throughput(width), ""}}, d.system(width)...)
	lines = append(append(lines, styled{}), queueLines(v)...)
	lines = append(lines, styled{})
	statuses, latencies := statusLines(v), latencyLines(v.LatencyMS)
	if width < besideWidth {
		return append(append(append(append(lines, statuses...), styled{}), latencies...), styled{})
	}
	for i := range statuses {
		lines = append(lines, styled{fmt.Sprintf("%-*s", statusWidths, statuses[i].text) + columnGap + latencies[i].text, statuses[i].look})
	}
	return append(lines, styled{})
}

func (d *display) throughput(width int) string {
	text := fmt.Sprintf("throughput  %8.1f /s  ", d.shown.stats.stats.ThroughputPerSecond)
	return text + sparkline(d.shown.rates, width-len(text))
}

// system says who works, and with what, in as many lines as that takes.
func (d *display) system(width int) []styled {
	v := d.shown.stats.stats
	parts := []string{
		marked(fmt.Sprintf("workers %s, slots %s", numberText(v.Workers), numberText(v.ActiveWorkers)), v.ActiveWorkers == 0),
		marked(fmt.Sprintf("drift %d", v.Ledger.Drift), v.Ledger.Drift != 0),
		fmt.Sprintf("accepted %d", v.Ledger.Accepted), memoryText(v.Redis),
	}
	if v.Ledger.Accepted == 0 {
		parts = append(parts, "no orders yet")
	}
	texts := packed(parts, width)
	lines := make([]styled, len(texts))
	for i, text := range texts {
		lines[i].text = text
		if strings.Contains(text, alarm) {
			lines[i].look = red
		}
	}
	return lines
}

func marked(text string, wrong bool) string {
	if wrong {
		return alarm + text
	}
	return text
}

// packed puts parts into as few lines of at most so many characters as they fit in.
func packed(parts []string, width int) []string {
	const gap = "   "
	lines := parts[:1:1]
	for _, part := range parts[1:] {
		end := &lines[len(lines)-1]
		if len(*end)+len(gap)+len(part) > width {
			lines = append(lines, part)
			continue
		}
		*end += gap + part
	}
	return lines
}

// events shows the newest changes, the newest first, in so many lines and a title.
func (d *display) events(width, room int) []styled {
	title := styled{"newest changes", bold}
	if d.shown.silent != "" {
		title = styled{"newest changes: " + d.shown.silent, yellow}
	}
	lines := []styled{title}
	newest := last(d.shown.events, room)
	ids := idWidth(newest, width)
	for _, v := range slices.Backward(newest) {
		lines = append(lines, styled{text: v.short(ids)})
	}
	return lines
}
