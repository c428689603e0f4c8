package cli

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"charm.land/lipgloss/v2"

	"orderprocessor/internal/app"
	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// The widths of figures, and of the tables of statuses and latencies.
const (
	queueFigure   = 9
	statusFigure  = 7
	statusWidth   = 37
	latencyWidth  = 38
	besideGap     = "     "
	minSideBySide = statusWidth + len(besideGap) + latencyWidth
	// alarm marks a figure that is wrong, for those who see no colours.
	alarm = "! "
)

// styled is a line of the screen and its style.
type styled struct {
	text  string
	style lipgloss.Style
}

func bold() lipgloss.Style   { return lipgloss.NewStyle().Bold(true) }
func faint() lipgloss.Style  { return lipgloss.NewStyle().Faint(true) }
func yellow() lipgloss.Style { return lipgloss.NewStyle().Foreground(lipgloss.Yellow) }
func red() lipgloss.Style    { return bold().Foreground(lipgloss.Red) }

// lines fill the screen; the last one shows the keys.
func (s *watchScreen) lines() []string {
	all := append(append(s.head(), s.verdict()...), styled{})
	if !s.shown.at.IsZero() {
		all = append(all, s.tables()...)
	}
	all = append(all, s.events(max(0, s.height-len(all)-2))...)
	all = all[:min(len(all), max(0, s.height-1))]
	for len(all) < s.height-1 {
		all = append(all, styled{})
	}
	keys := "q quit   p pause"
	if s.paused {
		keys = "q quit   p continue"
	}
	all = append(all, styled{keys, faint()})
	lines := make([]string, len(all))
	for i, l := range all {
		lines[i] = l.style.Render(strings.TrimRight(cutWords(l.text, s.width), " "))
	}
	return lines
}

// cutWords cuts a text to so many characters, between words, so that no figure loses
// its end. A word that fills the line is shortened.
func cutWords(text string, n int) string {
	const mark = " …"
	chars := []rune(text)
	if len(chars) <= n {
		return text
	}
	end := n - utf8.RuneCountInString(mark)
	for end > 0 && chars[end] != ' ' {
		end--
	}
	if end <= 0 {
		return shorten(text, n)
	}
	return strings.TrimRight(string(chars[:end]), " ") + mark
}

// head names the API and the time of the figures.
func (s *watchScreen) head() []styled {
	state, style := s.state()
	title := "orderctl watch  " + s.api
	gap := s.width - utf8.RuneCountInString(title+state)
	if gap < 2 {
		return []styled{{title, bold()}, {state, style}}
	}
	return []styled{{title + strings.Repeat(" ", gap) + state, style}}
}

// verdict is what is wrong, since when, and what to do, in the colour of its level.
func (s *watchScreen) verdict() (lines []styled) {
	v := s.shown.verdict
	if v.What == "" {
		return nil
	}
	style, found := faint(), []string{v.What + ". " + v.Advice}
	if v.Level != string(stats.LevelGood) {
		advice := v.Advice
		if len(v.Also) > 0 {
			advice += " Also: " + strings.Join(v.Also, "; ") + "."
		}
		style = yellow()
		found = append([]string{alarm + verdictText(v)}, wrap(advice, s.width)...)
	}
	if v.Level == string(stats.LevelBad) {
		style = red()
	}
	for _, text := range found {
		lines = append(lines, styled{order.Printable(text), style})
	}
	return lines
}

// state is the time of the figures, or why they are not current.
func (s *watchScreen) state() (string, lipgloss.Style) {
	f := s.shown
	at := f.at.UTC().Format(time.TimeOnly) + " UTC"
	switch {
	case f.err != nil && f.at.IsZero():
		return statsErrorText(f.err), red()
	case f.err != nil:
		return statsErrorText(f.err) + ": figures of " + at, red()
	case f.at.IsZero():
		return "connecting", yellow()
	case s.paused:
		return "paused at " + at, yellow()
	default:
		return at, bold()
	}
}

// statsErrorText is a few words on why there are no figures.
func statsErrorText(err error) string {
	var response *client.ResponseError
	switch {
	case errors.As(err, new(*client.UnreachableError)):
		return "no answer from the API"
	case errors.As(err, &response):
		return response.Error()
	default:
		return order.Printable(oneLine(err))
	}
}

func (s *watchScreen) tables() []styled {
	v := s.shown.stats
	rates := fmt.Sprintf("completed %.1f /s   failed %.1f /s   retrying %d   ", v.CompletedPerSecond, v.FailedPerSecond, v.ByStatus[order.StatusRetrying])
	lines := []styled{{text: rates + sparkline(s.shown.rates, s.width-len(rates))}}
	lines = append(append(lines, systemLines(v, s.width)...), styled{})
	lines = append(append(lines, queueLines(v)...), styled{})
	statuses, latencies := statusLines(v), latencyLines(v.LatencyMS)
	if s.width < minSideBySide {
		return slices.Concat(lines, statuses, []styled{{}}, latencies, []styled{{}})
	}
	for i, l := range statuses {
		text := fmt.Sprintf("%-*s", statusWidth, l.text)
		if i < len(latencies) {
			text += besideGap + latencies[i].text
		}
		lines = append(lines, styled{text, l.style})
	}
	return append(lines, styled{})
}

// systemLines show the workers, the books and the memory, in as many lines as fit.
func systemLines(v client.Stats, width int) []styled {
	const gap = "   "
	mark := func(text string, wrong bool) string {
		if wrong {
			return alarm + text
		}
		return text
	}
	memory := "Redis " + app.Mebibytes(v.Redis.Used)
	if v.Redis.Limit > 0 {
		memory += fmt.Sprintf(" of %s, %d %%", app.Mebibytes(v.Redis.Limit), v.Redis.Used*100/v.Redis.Limit)
	}
	parts := []string{
		mark(fmt.Sprintf("workers %s, slots %s", numberText(v.Workers), numberText(v.ActiveWorkers)), v.ActiveWorkers != nil && *v.ActiveWorkers == 0),
		mark(fmt.Sprintf("drift %d", v.Ledger.Drift), v.Ledger.Drift != 0),
		fmt.Sprintf("accepted %d", v.Ledger.Accepted), memory,
	}
	if n := len(v.Ledger.Books); n > 0 {
		away := v.BooksAway()
		parts = append(parts, mark(fmt.Sprintf("books %d, away %d", n, away), away > 0))
	}
	if v.Ledger.Accepted == 0 {
		parts = append(parts, "no orders yet")
	}
	var lines []styled
	for i, part := range parts {
		if i == 0 || len(lines[len(lines)-1].text)+len(gap)+len(part) > width {
			lines = append(lines, styled{text: part})
		} else {
			lines[len(lines)-1].text += gap + part
		}
		if strings.HasPrefix(part, alarm) {
			lines[len(lines)-1].style = red()
		}
	}
	return lines
}

func queueLines(v client.Stats) []styled {
	lines := []styled{{fmt.Sprintf("%-10s %9s %9s %9s %9s %11s", "queue", "waiting", "active", "retry", "scheduled", "oldest"), bold()}}
	for _, name := range order.Queues() {
		q := v.Queues[name]
		l := styled{text: fmt.Sprintf("%-10s %9s %9s %9s %9s %9.1f s", name, rounded(q.Pending, queueFigure),
			rounded(q.Active, queueFigure), rounded(q.Retry, queueFigure), rounded(q.Scheduled, queueFigure), q.OldestPendingSeconds)}
		if q.Paused {
			l = styled{l.text + "  PAUSED", yellow()}
		}
		lines = append(lines, l)
	}
	return lines
}

// statusLines show how many orders have each status; the three statuses of
// processing count as one, and held orders have a line if there are any.
func statusLines(v client.Stats) []styled {
	n := v.ByStatus
	working := n[order.StatusProcessing] + n[order.StatusPriorityProcessing] + n[order.StatusExpedited]
	row := func(open string, a int64, outcome string, b int64) styled {
		return styled{text: fmt.Sprintf("%-10s %7s  %-9s %7s", open, rounded(a, statusFigure), outcome, rounded(b, statusFigure))}
	}
	lines := []styled{
		{"status", bold()},
		row("scheduled", n[order.StatusScheduled], "completed", n[order.StatusCompleted]),
		row("pending", n[order.StatusPending], "rejected", n[order.StatusRejected]),
		row("processing", working, "failed", n[order.StatusFailed]),
		row("retrying", n[order.StatusRetrying], "cancelled", n[order.StatusCancelled]),
	}
	if held := n[order.StatusHeld]; held > 0 {
		lines = append(lines, styled{text: fmt.Sprintf("%-10s %7s", order.StatusHeld, rounded(held, statusFigure))})
	}
	return lines
}

func latencyLines(l client.Latency) []styled {
	lines := []styled{{fmt.Sprintf("%-11s %8s %8s %8s", "latency, ms", "p50", "p95", "p99"), bold()}}
	for _, row := range latencyRows(l) {
		lines = append(lines, styled{text: fmt.Sprintf("%-11s %8s %8s %8s",
			row.name, milliseconds(row.P50), milliseconds(row.P95), milliseconds(row.P99))})
	}
	return lines
}

// events shows the newest events, the newest first, in so many lines and a title.
func (s *watchScreen) events(room int) []styled {
	lines := []styled{{"newest events", bold()}}
	if s.shown.silent != "" {
		lines[0] = styled{"newest events: " + s.shown.silent, yellow()}
	}
	for _, text := range slices.Backward(shortEventLines(last(s.shown.events, room), s.width)) {
		lines = append(lines, styled{text: text})
	}
	return lines
}

// rounded writes a number in at most so many characters, at least six.
func rounded(n int64, most int) string {
	text := strconv.FormatInt(n, 10)
	for i, unit := range []string{"M", "G", "T"} {
		if len(text) > most {
			text = fmt.Sprintf("%.1f%s", float64(n)/math.Pow10(6+3*i), unit)
		}
	}
	return text
}

// milliseconds writes a duration in at most eight characters: long ones in seconds
// or days, with the unit.
func milliseconds(ms float64) string {
	const exact, seconds = 999_999, 999_999_000 // up to these they fit
	switch {
	case ms < exact:
		return fmt.Sprintf("%.1f", ms)
	case ms < seconds:
		return fmt.Sprintf("%.0f s", ms/1000)
	default:
		return fmt.Sprintf("%.0f d", ms/float64((24*time.Hour).Milliseconds()))
	}
}

// sparkline draws the newest values as bars of eight heights, one character each,
// from 0 to the highest value.
func sparkline(values []float64, width int) string {
	heights := []rune("▁▂▃▄▅▆▇█")
	values = last(values, max(0, width))
	line := make([]rune, len(values))
	for i, v := range values {
		line[i] = heights[0]
		if v > 0 {
			line[i] = heights[int(math.Ceil(v/slices.Max(values)*float64(len(heights))))-1]
		}
	}
	return string(line)
}
