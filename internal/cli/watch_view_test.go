package cli

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

// noon is when the pictures of these tests were taken.
func noon() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 123456000, time.UTC) }

// busy is a picture of a system at work.
func busy() picture {
	v := statsView{
		ActiveWorkers: 256, Workers: 4, ThroughputPerSecond: 1234.5,
		ByStatus: map[order.Status]int64{
			order.StatusPending: 120, order.StatusProcessing: 5, order.StatusExpedited: 3, order.StatusRetrying: 2,
			order.StatusCompleted: 98765, order.StatusRejected: 12, order.StatusFailed: 1, order.StatusCancelled: 4,
		},
		Queues: map[order.Queue]queueView{
			order.QueueCritical: {Pending: 20, Active: 4, OldestPendingSeconds: 0.2},
			order.QueueDefault:  {Pending: 100, Active: 4, Retry: 2, OldestPendingSeconds: 12.5},
			order.QueueLow:      {Scheduled: 7, Paused: true},
		},
		LatencyMS: latencyView{
			QueueWait: quantilesView{1.2, 3.4, 5.6}, Processing: quantilesView{10, 20, 30}, EndToEnd: quantilesView{12.3, 45.6, 1234.5},
		},
		Redis: memoryView{Used: 100 << 20, Limit: 1 << 30},
	}
	v.Ledger.Accepted = 98912
	events := make([]eventView, 100)
	for i := range events {
		events[i] = eventView{
			OrderID: fmt.Sprintf("order-%d", i), Status: order.StatusCompleted, Time: noon().Add(time.Duration(i) * time.Second),
			Attempt: 1, WorkerID: "host-1",
		}
	}
	return picture{stats: snapshot{at: noon(), stats: v}, rates: []float64{0, 1, 500, 1000, 2000, 1234.5}, events: events}
}

const busyScreen = `orderctl watch  http://127.0.0.1:8080                               12:00:00 UTC

throughput    1234.5 /s  ▁▁▂▄█▅
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

newest changes
12:01:39  order-99  completed  attempt 1 by host-1
12:01:38  order-98  completed  attempt 1 by host-1
12:01:37  order-97  completed  attempt 1 by host-1
12:01:36  order-96  completed  attempt 1 by host-1
12:01:35  order-95  completed  attempt 1 by host-1
12:01:34  order-94  completed  attempt 1 by host-1
q quit   p pause`

func TestWatchScreen(t *testing.T) {
	t.Parallel()
	d := &display{api: "http://127.0.0.1:8080"}
	d.update(busy())
	if diff := cmp.Diff(busyScreen, strings.Join(d.view(80, 24), "\n")); diff != "" {
		t.Errorf("screen of 80x24 (-want +got):\n%s", diff)
	}
}

const fullScreen = `orderctl watch  http://127.0.0.1:8080                               12:00:00 UTC

throughput    1234.5 /s  ▁▁▂▄█▅
! workers 0, slots 0   ! drift -1234567   accepted 12345678
Redis 10240 MiB of 16384 MiB, 62 %

queue        waiting    active     retry scheduled      oldest
critical     1234567       256         0         0       0.2 s
default    123456789   1234567   1234567         0   86400.0 s
low          1234567   1234567   1234567   1234567 2592000.0 s

status                                    latency, ms      p50      p95      p99
scheduled  9999999  completed   10.0M     queue wait  999998.9   1000 s  86400 s
pending    1234567  rejected  1234567     processing      10.0     20.0     30.0
processing       8  failed    1234567     end to end   86400 s 999999 s     12 d
retrying   1234567  cancelled 1234567

newest changes
12:01:39  0198f2f4-0000-7000-8000-000000000002  failed  shop answered 503 …
12:01:38  ord_1                                 priority_processing  attempt 1 …
12:01:37  an-id-of-an-importer-that-is-as-lon…  completed
q quit   p pause`

// TestWatchScreenOfMuch holds that large figures keep their columns, that what is
// wrong is marked without colours, and that a reason is seen beside a long id.
func TestWatchScreenOfMuch(t *testing.T) {
	t.Parallel()
	const million, most = 1_234_567, 123_456_789
	p := busy()
	v := &p.stats.stats
	v.Workers, v.ActiveWorkers, v.Ledger.Accepted, v.Ledger.Drift = 0, 0, 12_345_678, -million
	v.Redis = memoryView{Used: 10 << 30, Limit: 16 << 30}
	for _, s := range []order.Status{order.StatusPending, order.StatusRetrying, order.StatusRejected, order.StatusFailed, order.StatusCancelled} {
		v.ByStatus[s] = million
	}
	v.ByStatus[order.StatusScheduled], v.ByStatus[order.StatusCompleted] = 9_999_999, 10_000_000
	v.Queues = map[order.Queue]queueView{
		order.QueueCritical: {Pending: million, Active: 256, OldestPendingSeconds: 0.2},
		order.QueueDefault:  {Pending: most, Active: million, Retry: million, OldestPendingSeconds: 86_400},
		order.QueueLow:      {Pending: million, Active: million, Retry: million, Scheduled: million, OldestPendingSeconds: 2_592_000},
	}
	v.LatencyMS.QueueWait = quantilesView{999_998.9, 1_000_000, 86_400_000}
	v.LatencyMS.EndToEnd = quantilesView{86_400_000, 999_998_999, 1_000_000_000}
	p.events = []eventView{
		{OrderID: "an-id-of-an-importer-that-is-as-long-as-ids-may-be-for-all-of-us", Status: order.StatusCompleted, Time: noon().Add(97 * time.Second)},
		{OrderID: "ord_1", Status: order.StatusPriorityProcessing, Time: noon().Add(98 * time.Second), Attempt: 1, WorkerID: "host-1"},
		{OrderID: "0198f2f4-0000-7000-8000-000000000002", Status: order.StatusFailed, Time: noon().Add(99 * time.Second), Attempt: 3, WorkerID: "host-1", Reason: "shop answered 503"},
	}
	d := &display{api: "http://127.0.0.1:8080"}
	d.update(p)
	if diff := cmp.Diff(fullScreen, strings.Join(d.view(80, 22), "\n")); diff != "" {
		t.Errorf("screen of 80x22 (-want +got):\n%s", diff)
	}
	if text := strings.Join(d.view(108, 30), "\n"); !strings.Contains(text, "-ids-may-be-for-all-of-us  completed") {
		t.Errorf("a wide screen shortens ids:\n%s", text)
	}
}

// TestWatchFitsTheTerminal holds that no screen is wider or higher than there is room
// for, that the keys are always shown, and that a larger terminal shows more.
func TestWatchFitsTheTerminal(t *testing.T) {
	t.Parallel()
	for _, colour := range []bool{false, true} {
		d := &display{api: "http://127.0.0.1:8080", colour: colour}
		d.update(busy())
		shown := 0
		for _, size := range [][2]int{{1, 1}, {5, 2}, {20, 10}, {40, 24}, {80, 24}, {200, 60}, {300, 200}} {
			lines := d.view(size[0], size[1])
			text := plainText(strings.Join(lines, "\n"))
			if len(lines) != size[1] {
				t.Errorf("%v has %d lines", size, len(lines))
			}
			for _, l := range strings.Split(text, "\n") {
				if utf8.RuneCountInString(l) > size[0] {
					t.Errorf("%v has a line of %d: %s", size, utf8.RuneCountInString(l), l)
				}
			}
			if size[0] >= 20 && !strings.HasSuffix(text, "q quit   p pause") {
				t.Errorf("%v does not end with the keys:\n%s", size, text)
			}
			n := strings.Count(text, "order-")
			if n < shown {
				t.Errorf("%v shows %d changes, a smaller one %d", size, n, shown)
			}
			shown = n
		}
		if shown != 100 {
			t.Errorf("the largest shows %d changes", shown)
		}
	}
}

// plainText takes the looks away.
func plainText(text string) string {
	return strings.NewReplacer(bold, "", red, "", yellow, "", faint, "", plain, "").Replace(text)
}

// TestWatchNarrow holds that a narrow terminal shows the tables below each other.
func TestWatchNarrow(t *testing.T) {
	t.Parallel()
	d := &display{api: "http://127.0.0.1:8080"}
	d.update(busy())
	text := strings.Join(d.view(70, 40), "\n")
	if !strings.Contains(text, "\nstatus\n") || !strings.Contains(text, "\nlatency, ms ") {
		t.Errorf("the tables are not below each other:\n%s", text)
	}
}

func TestWatchStates(t *testing.T) {
	t.Parallel()
	gone := &UnreachableError{API: "x", Err: errors.New("refused")}
	forbidden := &AnswerError{Status: 403, Detail: "The key lacks the scope read.", Keyed: true}
	for _, tt := range []struct {
		name   string
		change func(*picture)
		says   []string
	}{
		{"connecting", func(p *picture) { *p = picture{silent: "connecting"} }, []string{" connecting\n", "\nnewest changes: connecting\n"}},
		{"never reached", func(p *picture) { *p = picture{err: gone} }, []string{" no answer from the API\n"}},
		{"disconnected", func(p *picture) { p.err = gone }, []string{" no answer from the API: figures of 12:00:00 UTC\n", "throughput    1234.5 /s"}},
		{"no events", func(p *picture) { p.silent = "the API ended the connection" }, []string{"\nnewest changes: the API ended the connection\n"}},
		{"not allowed", func(p *picture) { *p = picture{err: forbidden} }, []string{"403: The key lacks the scope read; this key may not do that"}},
		{"no orders", func(p *picture) { p.stats.stats.Ledger.Accepted = 0 }, []string{"   no orders yet\n"}},
		{"no limit", func(p *picture) { p.stats.stats.Redis.Limit = 0 }, []string{"   Redis 100 MiB\n"}},
		{"drift", func(p *picture) { p.stats.stats.Ledger.Drift = -3 }, []string{"   ! drift -3   "}},
		{"no worker", func(p *picture) { p.stats.stats.ActiveWorkers = 0 }, []string{"\n! workers 4, slots 0   drift 0"}},
		{"control characters", func(p *picture) { p.events[99].Reason = "\x1b[2J\r\nx" }, []string{"completed   [2J  x  attempt 1 by host-1\n"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := busy()
			tt.change(&p)
			d := &display{api: "http://127.0.0.1:8080"}
			d.update(p)
			text := strings.Join(d.view(120, 24), "\n")
			for _, s := range tt.says {
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

// TestWatchColours holds what is painted, and that it is what an operator must see.
func TestWatchColours(t *testing.T) {
	t.Parallel()
	p := busy()
	p.stats.stats.Ledger.Drift = 1
	d := &display{api: "http://127.0.0.1:8080", colour: true}
	d.update(p)
	text := strings.Join(d.view(80, 24), "\n")
	for _, s := range []string{red + "workers 4", yellow + "low ", bold + "queue "} {
		if !strings.Contains(text, s) {
			t.Errorf("it lacks %q:\n%q", s, text)
		}
	}
}

// TestWatchKeys holds that a paused display stays as it is, and goes on with what is
// newest.
func TestWatchKeys(t *testing.T) {
	t.Parallel()
	d := &display{}
	d.update(busy())
	if d.press('p') || d.press('x') || !d.paused {
		t.Fatal("p does not pause")
	}
	newer := busy()
	newer.stats.at = noon().Add(time.Minute)
	d.update(newer)
	if text := strings.Join(d.view(80, 24), "\n"); !strings.Contains(text, "paused at 12:00:00 UTC") || !strings.Contains(text, "p go on") {
		t.Errorf("the paused display shows:\n%s", text)
	}
	if d.press('p') {
		t.Fatal("p quits")
	}
	d.update(newer)
	if text := strings.Join(d.view(80, 24), "\n"); !strings.Contains(text, " 12:01:00 UTC") {
		t.Errorf("the display that goes on shows:\n%s", text)
	}
	for _, key := range []byte{'q', 3} {
		if !d.press(key) {
			t.Errorf("key %d does not quit", key)
		}
	}
}

func TestSparkline(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		values []float64
		width  int
		want   string
	}{
		{"nothing", nil, 10, ""},
		{"no room", []float64{1}, 0, ""},
		{"less than no room", []float64{1}, -5, ""},
		{"idle", []float64{0, 0}, 10, "▁▁"},
		{"growing", []float64{0, 1, 2, 3, 4, 5, 6, 7, 8}, 10, "▁▁▂▃▄▅▆▇█"},
		{"the newest", []float64{8, 1, 2}, 2, "▄█"},
		{"hardly any", []float64{0.0001, 1000}, 2, "▁█"},
	} {
		if got := sparkline(tt.values, tt.width); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
