package cli

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/app"
	"orderprocessor/internal/order"
)

// mustFit fails the test for each line that is wider than a terminal of 80 columns.
func mustFit(t *testing.T, what string, lines []string) {
	t.Helper()
	for _, l := range lines {
		if n := utf8.RuneCountInString(l); n > usualWidth {
			t.Errorf("%s has a line of %d: %s", what, n, l)
		}
	}
}

// much are statistics of a system with figures of this size.
func much(n int64) statsView {
	v := statsView{
		AverageProcessTimeMS: float64(n), ActiveWorkers: 65536, Workers: 1024, UptimeSeconds: n, ThroughputPerSecond: 99999.9,
		ByStatus: map[order.Status]int64{}, Queues: map[order.Queue]queueView{}, Redis: memoryView{Used: n << 10, Limit: n << 11},
		LatencyMS: latencyView{
			QueueWait: quantilesView{float64(n), float64(n) + 0.4, float64(n) * 7}, Processing: quantilesView{0.1, 10, float64(n)},
			EndToEnd: quantilesView{float64(n), float64(n), float64(n)},
		},
	}
	for _, s := range order.Statuses() {
		v.ByStatus[s] = n
	}
	for _, q := range order.Queues() {
		v.Queues[q] = queueView{Name: string(q), Pending: n, Active: n, Scheduled: n, Retry: n, Archived: n, Paused: true, OldestPendingSeconds: float64(n)}
	}
	v.Ledger.Accepted, v.Ledger.Drift = n, -n
	return v
}

// TestTablesFit80Columns holds that no figure of any size makes a table wider than a
// terminal, and that all its digits are there.
func TestTablesFit80Columns(t *testing.T) {
	t.Parallel()
	for n := int64(7); n > 0 && n < 1e14; n = n*10 + 7 {
		digits := strconv.FormatInt(n, 10)
		var out strings.Builder
		s := &statsCommand{World: &World{Stdout: &out}}
		v := much(n)
		s.print(v)
		r := &loadReport{
			Rate: int(n), Sent: n, Accepted: n, NoAnswer: n, SentPerSecond: float64(n), DurationSeconds: 60,
			LatencyMS: loadLatency{P50: float64(n), P90: float64(n), P95: float64(n), P99: float64(n), Max: float64(n)},
		}
		r.printLatency(s.World)
		mustFit(t, digits, strings.Split(out.String(), "\n"))
		if strings.Contains(out.String(), "…") || strings.Count(out.String(), digits) < 5*3+len(order.Statuses())+8 {
			t.Errorf("figures like %s are missing:\n%s", digits, out.String())
		}
	}
}

// TestWatchFits80Columns holds the same of the screen of watch, where figures are
// rounded, with their unit, but have no end cut off.
func TestWatchFits80Columns(t *testing.T) {
	t.Parallel()
	for n := int64(7); n > 0 && n < 1e13; n = n*10 + 7 {
		p := busy()
		p.stats.stats = much(n)
		for i := range p.events {
			p.events[i] = eventView{
				OrderID: strings.Repeat("0123456789abcdef", 4), Status: order.StatusPriorityProcessing, Time: noon(), Attempt: 100,
				WorkerID: "a-host-with-a-long-name-1234567", Reason: "shop answered 503 after 1234567 ms",
			}
		}
		d := &display{api: "http://orders.example.com:8080"}
		d.update(p)
		lines := d.view(usualWidth, 40)
		mustFit(t, strconv.FormatInt(n, 10), lines)
		for _, q := range order.Queues() {
			row := strings.Fields(lineOf(lines, string(q)+" "))
			if want := briefly(n, queueFigure); len(row) != 8 || row[1] != want || row[4] != want || row[7] != "PAUSED" {
				t.Errorf("%d: the row of %s is %q", n, q, row)
			}
		}
		if l := lineOf(lines, "Redis "); !strings.HasSuffix(l, "50 %") || !strings.Contains(l, app.Mebibytes(n<<11)) {
			t.Errorf("%d: the memory is %q", n, l)
		}
		if l := lineOf(lines, "12:00:00  "); !strings.HasSuffix(l, " …") || strings.Contains(l, "12345 ") {
			t.Errorf("an event is %q", l)
		}
	}
}

// lineOf is the first line that has a text.
func lineOf(lines []string, text string) string {
	for _, l := range lines {
		if strings.Contains(l, text) {
			return l
		}
	}
	return ""
}

func TestCutWords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		n    int
		want string
	}{
		{"fits", 4, "fits"},
		{"settled 1234567 of them", 14, "settled …"},
		{"settled 1234567 of them", 17, "settled 1234567 …"},
		{"settled 1234567 of them", 16, "settled …"},
		{"1234567", 3, "12…"},
		{"ab cd", 2, "a…"},
		{"ab", 1, "…"},
		{"x", 0, "…"},
		{"a long-word-that-fills-it", 12, "a …"},
		{"é é é é", 5, "é é …"},
	} {
		if got := cutWords(tt.text, tt.n); got != tt.want {
			t.Errorf("%q in %d: %q, want %q", tt.text, tt.n, got, tt.want)
		}
	}
}

const listOf80 = `id                                        status    amount  created at
    queue  customer  error
0198f2f4-0000-7000-8000-000000000002      failed     12.50  2026-11-23T12:00:00Z
    default  Ada Lovelace  shop answered 503
an-id-of-an-importer-that-is-as-long-as…  pending  9999.99  2026-11-23T12:00:00Z
    critical  Eve`

// TestListFitsATerminal holds that a list on a terminal is no wider than that and cuts no
// figure, and that one that a program reads has everything.
func TestListFitsATerminal(t *testing.T) {
	t.Parallel()
	const long = "an-id-of-an-importer-that-is-as-long-as-ids-may-be-for-all-of-us"
	at := time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC).Format(time.RFC3339Nano)
	one := func(id, amount, status, customer, queue, more string) json.RawMessage {
		return json.RawMessage(fmt.Sprintf(`{"id":%q,"amount":%s,"status":%q,"customer":%q,"queue":%q,"created_at":%q%s}`,
			id, amount, status, customer, queue, at, more))
	}
	orders := []json.RawMessage{
		one("0198f2f4-0000-7000-8000-000000000002", "12.50", "failed", "Ada Lovelace", "default", `,"error":"shop answered 503"`),
		one(long, "9999.99", "pending", "Eve", "critical", ""),
	}
	o := &orderTable{World: &World{}}
	rows, err := o.rows(orders, usualWidth)
	if err != nil {
		t.Fatal(err)
	}
	lines := o.lines(rows, usualWidth)
	mustFit(t, "the list", lines)
	if diff := cmp.Diff(listOf80, strings.Join(lines, "\n")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	large := one(strings.Repeat("x", 128), "999999999999.99", "priority_processing", strings.Repeat("c", 254), "critical", `,"error":"`+strings.Repeat("e", 1000)+`"`)
	rows, err = o.rows([]json.RawMessage{large}, usualWidth)
	if err != nil {
		t.Fatal(err)
	}
	lines = o.lines(rows, usualWidth)
	mustFit(t, "a large order", lines)
	if !strings.Contains(lines[0], "  priority_processing  999999999999.99  2026-11-23T12:00:00Z") {
		t.Errorf("a figure is cut: %s", lines[0])
	}

	piped := &orderTable{World: &World{}}
	rows, err = piped.rows(append(orders, large), 0)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(piped.lines(rows, 0), "\n")
	for _, want := range []string{long, strings.Repeat("x", 128), strings.Repeat("c", 254), strings.Repeat("e", 1000), "shop answered 503"} {
		if !strings.Contains(text, want) || strings.Contains(text, "…") {
			t.Errorf("a program does not read %.40s:\n%s", want, text)
		}
	}
	if n := strings.Count(text, "\n"); n != len(orders)+1 {
		t.Errorf("a program reads %d lines", n+1)
	}
}

// TestTextTablesFitATerminal holds that long texts are wrapped to a terminal, whole, and
// left in one line for programs.
func TestTextTablesFitATerminal(t *testing.T) {
	t.Parallel()
	rows := [][]string{{"id", "a"}, {"items", strings.TrimSpace(strings.Repeat("a lamp of 12345 parts, ", 20))}, {"status", "failed"}}
	lines := textLines(rows, usualWidth)
	mustFit(t, "the table", lines)
	if len(lines) < 6 || strings.Join(strings.Fields(strings.Join(lines, " ")), " ") != strings.Join(strings.Fields("id a items "+rows[1][1]+" status failed"), " ") {
		t.Errorf("it is\n%s", strings.Join(lines, "\n"))
	}
	if lines := textLines(rows, 0); len(lines) != len(rows) {
		t.Errorf("a program reads\n%s", strings.Join(lines, "\n"))
	}
}
