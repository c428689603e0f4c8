package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/app"
	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
)

// noon is the time of the statistics of these tests.
func noon() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 123456000, time.UTC) }

// busy returns the figures of a system at work.
func busy() figures {
	v := client.Stats{
		ActiveWorkers: new(256), Workers: new(4), CompletedPerSecond: 1234.5, FailedPerSecond: 0.25,
		ByStatus: map[order.Status]int64{
			order.StatusPending: 120, order.StatusProcessing: 5, order.StatusExpedited: 3, order.StatusRetrying: 2,
			order.StatusCompleted: 98765, order.StatusRejected: 12, order.StatusFailed: 1, order.StatusCancelled: 4,
		},
		Queues: map[order.Queue]client.Queue{
			order.QueueCritical: {Pending: 20, Active: 4, OldestPendingSeconds: 0.2},
			order.QueueDefault:  {Pending: 100, Active: 4, Retry: 2, OldestPendingSeconds: 12.5},
			order.QueueLow:      {Scheduled: 7, Paused: true},
		},
		LatencyMS: client.Latency{
			QueueWait: quantiles(1.2, 3.4, 5.6), Processing: quantiles(10, 20, 30), EndToEnd: quantiles(12.3, 45.6, 1234.5),
		},
		Redis: client.Memory{Used: 100 << 20, Limit: 1 << 30},
	}
	v.Ledger.Accepted = 98912
	events := make([]client.Event, 100)
	for i := range events {
		events[i] = client.Event{
			OrderID: fmt.Sprintf("order-%d", i), Status: order.StatusCompleted, Time: noon().Add(time.Duration(i) * time.Second),
			Attempt: 1, WorkerID: "host-1",
		}
	}
	well := client.Verdict{Level: "good", What: "All is well", Advice: "1234.5 orders complete a second, 120 wait, 8 are with workers."}
	return figures{snapshot: snapshot{at: noon(), stats: v}, verdict: well, rates: []float64{0, 1, 500, 1000, 2000, 1234.5}, events: events}
}

// screen shows figures.
func screen(f figures) *watchScreen {
	return &watchScreen{api: "http://127.0.0.1:8080", latest: f, shown: f}
}

func quantiles(p50, p95, p99 float64) client.Quantiles {
	return client.Quantiles{P50: p50, P95: p95, P99: p99}
}

// textOf is a screen of a size, without styles.
func textOf(d *watchScreen, width, height int) string {
	d.width, d.height = width, height
	return ansi.Strip(d.View().Content)
}

const busyScreen = `orderctl watch  http://127.0.0.1:8080                               12:00:00 UTC
All is well. 1234.5 orders complete a second, 120 wait, 8 are with workers.

completed 1234.5 /s   failed 0.2 /s   retrying 2   ▁▁▂▄█▅
workers 4, slots 256   drift 0   accepted 98912   Redis 100 MiB of 1024 MiB, 9 %

queue        waiting    active     retry scheduled      oldest
critical          20         4         0         0       0.2 s
default          100         4         2         0      12.5 s
low                0         0         0         7       0.0 s  PAUSED

status                                    latency, ms      p50      p95      p99
scheduled        0  completed   98765     queue wait       1.2      3.4      5.6
pending        120  rejected       12     processing      10.0     20.0     30.0
processing       8  failed          1     end to end      12.3     45.6   1234.5
retrying         2  cancelled       4

newest events
12:01:39  order-99  completed  attempt 1 by host-1
12:01:38  order-98  completed  attempt 1 by host-1
12:01:37  order-97  completed  attempt 1 by host-1
12:01:36  order-96  completed  attempt 1 by host-1
12:01:35  order-95  completed  attempt 1 by host-1
q quit   p pause`

// TestWatchScreen checks a screen, and that what an operator must see is coloured.
func TestWatchScreen(t *testing.T) {
	t.Parallel()
	d := screen(busy())
	if diff := cmp.Diff(busyScreen, textOf(d, 80, 24)); diff != "" {
		t.Errorf("screen of 80x24 (-want +got):\n%s", diff)
	}
	d.shown.stats.Ledger.Drift = 1
	d.shown.verdict = client.Verdict{Level: "warning", What: "Orders wait long"}
	for _, s := range []string{"\x1b[33m! Orders wait long", "\x1b[1;31mworkers 4", "\x1b[33mlow ", "\x1b[1mqueue "} {
		if text := d.View().Content; !strings.Contains(text, s) {
			t.Errorf("it lacks %q:\n%q", s, text)
		}
	}
}

// TestWatchShowsHeldOrders shows them only if there are any.
func TestWatchShowsHeldOrders(t *testing.T) {
	t.Parallel()
	f := busy()
	f.stats.ByStatus[order.StatusHeld] = 7
	if text := textOf(screen(f), 80, 30); !strings.Contains(text, "\nretrying         2  cancelled       4\nheld             7\n\n") {
		t.Errorf("it shows\n%s", text)
	}
}

// TestWatchShowsBooks shows how many there are if there are several, and those that are away.
func TestWatchShowsBooks(t *testing.T) {
	t.Parallel()
	f := busy()
	f.stats.Ledger.Books = []client.Book{{}, {Away: true}}
	if text := textOf(screen(f), 80, 30); !strings.Contains(text, "9 %\n! books 2, away 1\n") {
		t.Errorf("it shows\n%s", text)
	}
	if line := snapshotLine(statsMsg{snapshot: f.snapshot}); !strings.HasSuffix(line, "  drift 0  books away 1 of 2") {
		t.Errorf("the line is %q", line)
	}
}

// TestWatchFitsTheTerminal checks that no screen is wider or higher than there is room
// for, that it ends with the keys, and that a larger terminal shows more.
func TestWatchFitsTheTerminal(t *testing.T) {
	t.Parallel()
	d := screen(busy())
	shown := 0
	for _, size := range [][2]int{{1, 1}, {5, 2}, {20, 10}, {40, 24}, {80, 24}, {200, 60}, {300, 200}} {
		text := textOf(d, size[0], size[1])
		lines := strings.Split(text, "\n")
		if len(lines) != size[1] {
			t.Errorf("%v has %d lines", size, len(lines))
		}
		for _, l := range lines {
			if utf8.RuneCountInString(l) > size[0] {
				t.Errorf("%v has a line of %d: %s", size, utf8.RuneCountInString(l), l)
			}
		}
		if size[0] >= 20 && !strings.HasSuffix(text, "q quit   p pause") {
			t.Errorf("%v does not end with the keys:\n%s", size, text)
		}
		n := strings.Count(text, "order-")
		if n < shown {
			t.Errorf("%v shows %d events, a smaller one %d", size, n, shown)
		}
		shown = n
	}
	if text := textOf(d, 70, 40); !strings.Contains(text, "\nstatus\n") || !strings.Contains(text, "\nlatency, ms ") {
		t.Errorf("the tables of a narrow terminal are not below each other:\n%s", text)
	}
	if shown != 100 {
		t.Errorf("the largest shows %d events", shown)
	}
}

// TestWatchFits80Columns checks that figures of any size keep their columns: they are
// rounded, with their unit, but have no end cut off.
func TestWatchFits80Columns(t *testing.T) {
	t.Parallel()
	for n := int64(7); n > 0 && n < 1e13; n = n*10 + 7 {
		f := busy()
		f.stats = largeStats(n)
		for i := range f.events {
			f.events[i] = client.Event{
				OrderID: strings.Repeat("0123456789abcdef", 4), Status: order.StatusPriorityProcessing, Time: noon(), Attempt: 100,
				WorkerID: "a-host-with-a-long-name-1234567", Reason: "shop answered 503 after 1234567 ms",
			}
		}
		d := screen(f)
		d.api = "http://orders.example.com:8080"
		text := textOf(d, usualWidth, 40)
		mustFit(t, strconv.FormatInt(n, 10), text)
		for _, q := range order.Queues() {
			row := strings.Fields(lineWith(text, string(q)+" "))
			if want := rounded(n, queueFigure); len(row) != 8 || row[1] != want || row[4] != want || row[7] != "PAUSED" {
				t.Errorf("%d: the row of %s is %q", n, q, row)
			}
		}
		if l := lineWith(text, "Redis "); !strings.HasSuffix(l, "50 %") || !strings.Contains(l, app.Mebibytes(n<<11)) {
			t.Errorf("%d: the memory is %q", n, l)
		}
		if l := lineWith(text, "12:00:00  "); !strings.HasSuffix(l, " …") || !strings.Contains(l, "…  priority_processing") {
			t.Errorf("an event is %q", l)
		}
		if l := lineWith(textOf(d, 108, 40), "12:00:00  "); !strings.Contains(l, "abcdef  priority_processing") {
			t.Errorf("a wide screen shortens ids: %q", l)
		}
	}
}

// lineWith is the first line that has a text.
func lineWith(text, part string) string {
	for l := range strings.SplitSeq(text, "\n") {
		if strings.Contains(l, part) {
			return l
		}
	}
	return ""
}

func TestCutWords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		n          int
		text, want string
	}{
		{4, "fits", "fits"},
		{17, "settled 1234567 of them", "settled 1234567 …"},
		{16, "settled 1234567 of them", "settled …"},
		{3, "1234567", "12…"},
		{2, "ab cd", "a…"},
		{0, "x", "…"},
		{12, "a long-word-that-fills-it", "a …"},
		{5, "é é é é", "é é …"},
	} {
		if got := cutWords(tt.text, tt.n); got != tt.want {
			t.Errorf("%q in %d: %q, want %q", tt.text, tt.n, got, tt.want)
		}
	}
}

func TestWatchStates(t *testing.T) {
	t.Parallel()
	gone := &client.UnreachableError{API: "x", Err: errors.New("refused")}
	forbidden := &client.ResponseError{Status: 403, Detail: "The key lacks the scope read."}
	for _, tt := range []struct {
		name   string
		change func(*figures)
		want   []string
	}{
		{"connecting", func(p *figures) { *p = figures{silent: "connecting"} }, []string{" connecting\n", "\nnewest events: connecting\n"}},
		{"never reached", func(p *figures) { *p = figures{err: gone} }, []string{" no answer from the API\n"}},
		{"disconnected", func(p *figures) { p.err = gone }, []string{" no answer from the API: figures of 12:00:00 UTC\n", "completed 1234.5 /s"}},
		{"no events", func(p *figures) { p.silent = "the API ended the connection" }, []string{"\nnewest events: the API ended the connection\n"}},
		{"not allowed", func(p *figures) { *p = figures{err: forbidden} }, []string{"403: The key lacks the scope read."}},
		{"down", func(p *figures) {
			p.verdict = client.Verdict{Level: "bad", What: "The shop takes no orders", Since: noon(), Advice: "Orders wait.\n" + strings.Repeat("Repair the shop. ", 8), Also: []string{"Paused: low"}}
		}, []string{"\n! The shop takes no orders since 2026-11-24T12:00:00Z\nOrders wait. Repair", "Repair the shop. Also: Paused: low.\n\ncompleted"}},
		{"no verdict", func(p *figures) { p.verdict = client.Verdict{} }, []string{"UTC\n\ncompleted"}},
		{"no orders", func(p *figures) { p.stats.Ledger.Accepted = 0 }, []string{"   no orders yet\n"}},
		{"no limit", func(p *figures) { p.stats.Redis.Limit = 0 }, []string{"   Redis 100 MiB\n"}},
		{"drift", func(p *figures) { p.stats.Ledger.Drift = -3 }, []string{"   ! drift -3   "}},
		{"no worker", func(p *figures) { p.stats.ActiveWorkers = new(0) }, []string{"\n! workers 4, slots 0   drift 0"}},
		{"control characters", func(p *figures) { p.events[99].Reason = "\x1b[2J\r\nx" }, []string{"completed   [2J  x  attempt 1 by host-1\n"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := busy()
			tt.change(&p)
			d := screen(p)
			text := textOf(d, 120, 24)
			for _, s := range tt.want {
				if !strings.Contains(text, s) {
					t.Errorf("it lacks %q:\n%s", s, text)
				}
			}
			if strings.Contains(text, "\x1b") {
				t.Errorf("it has control characters: %q", text)
			}
		})
	}
}

// TestWatchMessages checks that a paused screen stays as it is and later continues
// with the newest figures, and that every message has its effect.
func TestWatchMessages(t *testing.T) {
	t.Parallel()
	polls := 0
	d := &watchScreen{pollAgain: func() tea.Cmd {
		polls++
		return nil
	}}
	send := func(msgs ...tea.Msg) (quits bool) {
		var cmd tea.Cmd
		for _, m := range msgs {
			_, cmd = d.Update(m)
		}
		return cmd != nil
	}
	press := func(key rune) tea.Msg { return tea.KeyPressMsg{Code: key, Text: string(key)} }
	shows := func(what string) {
		t.Helper()
		if text := textOf(d, 80, 24); !strings.Contains(text, what) {
			t.Errorf("it lacks %q:\n%s", what, text)
		}
	}
	newer := busy().snapshot
	newer.at = noon().Add(time.Minute)
	send(tea.WindowSizeMsg{Width: 80, Height: 24}, statsMsg{snapshot: busy().snapshot}, client.Disconnected{Err: errors.New("gone")}, press('p'), press('x'),
		statsMsg{snapshot: newer}, client.Connected{}, busy().events[7])
	shows("paused at 12:00:00 UTC")
	shows("p continue")
	shows("newest events: gone")
	send(press('p'))
	shows(" 12:01:00 UTC")
	shows("\nnewest events\n12:00:07  order-7  completed")
	send(client.Gap{})
	if text := textOf(d, 80, 24); strings.Contains(text, "order-7") {
		t.Errorf("events from before a gap stay:\n%s", text)
	}
	send(statsMsg{err: errors.New("no luck")})
	shows("no luck: figures of 12:01:00 UTC")
	if polls != 3 || len(d.shown.rates) != 2 {
		t.Errorf("asked again %d times, with rates %v", polls, d.shown.rates)
	}
	if !send(press('q')) || !send(tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl}) {
		t.Error("q or Ctrl-C does not quit")
	}
}

func TestSparkline(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		values []float64
		width  int
		want   string
	}{
		{nil, 10, ""},
		{[]float64{1}, 0, ""},
		{[]float64{1}, -5, ""},
		{[]float64{0, 0}, 10, "▁▁"},
		{[]float64{0, 1, 2, 3, 4, 5, 6, 7, 8}, 10, "▁▁▂▃▄▅▆▇█"},
		{[]float64{8, 1, 2}, 2, "▄█"}, // the newest
		{[]float64{0.0001, 1000}, 2, "▁█"},
	} {
		if got := sparkline(tt.values, tt.width); got != tt.want {
			t.Errorf("%v in %d: %q, want %q", tt.values, tt.width, got, tt.want)
		}
	}
}
