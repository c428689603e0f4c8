package cli

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/client"
	"orderprocessor/internal/load"
	"orderprocessor/internal/order"
)

// mustFit fails the test for each line that is wider than a terminal of 80 columns.
func mustFit(t *testing.T, what, text string) {
	t.Helper()
	for l := range strings.SplitSeq(text, "\n") {
		if n := utf8.RuneCountInString(l); n > usualWidth {
			t.Errorf("%s has a line of %d: %s", what, n, l)
		}
	}
}

// largeStats are statistics with figures of this size.
func largeStats(n int64) client.Stats {
	f := float64(n)
	v := client.Stats{
		ActiveWorkers: new(65536), Workers: new(1024), UptimeSeconds: n, ThroughputPerSecond: 99999.9,
		ByStatus: map[order.Status]int64{}, Queues: map[order.Queue]client.Queue{}, Redis: client.Memory{Used: n << 10, Limit: n << 11},
		CompletedPerSecond: 99999.9, FailedPerSecond: 99999.9,
		Fulfilment: client.Fulfilment{State: order.BreakerHalfOpen, Since: noon(), CallsPerSecond: 99999.9, SuccessRatio: 0.987},
		LatencyMS: client.Latency{
			QueueWait: quantiles(f, f+0.4, f*7), Processing: quantiles(0.1, 10, f), EndToEnd: quantiles(f, f, f),
		},
	}
	for _, s := range order.Statuses() {
		v.ByStatus[s] = n
	}
	for _, q := range order.Queues() {
		v.Queues[q] = client.Queue{Pending: n, Active: n, Scheduled: n, Retry: n, Archived: n, Paused: true, OldestPendingSeconds: f}
	}
	v.Ledger.Accepted, v.Ledger.Drift = n, -n
	return v
}

// TestStatsOfTheShop shows how the shop answers, if the API says it.
func TestStatsOfTheShop(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]client.Fulfilment{
		" second\n   uptime ": {},
		" second\n   calls to the shop   12.5 per second in the last minute, 98 % succeeded\n   circuit breaker     closed\n   uptime ": {
			State: order.BreakerClosed, CallsPerSecond: 12.5, SuccessRatio: 0.976,
		},
		"   circuit breaker          half open since 2026-11-24T12:00:00Z\n   last error of the shop    refused\n": {
			State: order.BreakerHalfOpen, Since: noon(), LastError: "\x1brefused",
		},
	} {
		var out strings.Builder
		(&apiCommand{World: &World{Stdout: &out}}).printStats(client.Stats{Fulfilment: f, CompletedPerSecond: 2.4})
		if !strings.Contains(out.String(), want) {
			t.Errorf("it lacks %q:\n%s", want, out.String())
		}
	}
}

// TestTablesFit80Columns checks that no figure makes a table wider than a terminal,
// and that all its digits are there.
func TestTablesFit80Columns(t *testing.T) {
	t.Parallel()
	for n := int64(7); n > 0 && n < 1e14; n = n*10 + 7 {
		digits := strconv.FormatInt(n, 10)
		var out strings.Builder
		s := &apiCommand{World: &World{Stdout: &out}}
		s.printStats(largeStats(n))
		f := float64(n)
		r := &loadReport{Result: load.Result{LatencyMS: load.Latency{P50: f, P90: f, P95: f, P99: f, Max: f}}}
		r.printLatency(s.World)
		mustFit(t, digits, out.String())
		if strings.Contains(out.String(), "…") || strings.Count(out.String(), digits) < 5*3+len(order.Statuses())+8 {
			t.Errorf("figures like %s are missing:\n%s", digits, out.String())
		}
	}
}

const listOf80 = `id                                        status    amount  created at
    queue  customer  error
0198f2f4-0000-7000-8000-000000000002      failed     12.50  2026-11-23T12:00:00Z
    default  Ada Lovelace  shop answered 503
an-id-of-an-importer-that-is-as-long-as…  pending  9999.99  2026-11-23T12:00:00Z
    critical  Eve
`

// TestListFitsATerminal checks that a list on a terminal is no wider than that and
// cuts no figure, and that in a file nothing is shortened.
func TestListFitsATerminal(t *testing.T) {
	t.Parallel()
	const long = "an-id-of-an-importer-that-is-as-long-as-ids-may-be-for-all-of-us"
	at := time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)
	orders := []client.Order{
		{
			ID: "0198f2f4-0000-7000-8000-000000000002", Content: order.Content{Amount: order.Cents(12_50), Customer: "Ada Lovelace"},
			Status: "failed", Queue: "default", CreatedAt: at, Error: "shop answered 503",
		},
		{ID: long, Content: order.Content{Amount: order.Cents(9999_99), Customer: "Eve"}, Status: "pending", Queue: "critical", CreatedAt: at},
	}
	table := &orderTable{}
	if diff := cmp.Diff(listOf80, table.layout(orders, usualWidth)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	large := client.Order{
		ID: strings.Repeat("x", 128), Content: order.Content{Amount: order.MaxMoney(2), Customer: strings.Repeat("c", 254)}, Status: "priority_processing",
		Queue: "critical", CreatedAt: at, Error: strings.Repeat("e", 1000),
	}
	text := table.layout([]client.Order{large}, usualWidth)
	mustFit(t, "a large order", text)
	if !strings.Contains(text, "  priority_processing  999999999999.99  2026-11-23T12:00:00Z") {
		t.Errorf("a figure is cut: %s", text)
	}
	text = (&orderTable{}).layout(append(orders, large), 0)
	for _, want := range []string{long, large.ID, large.Customer, large.Error, "shop answered 503"} {
		if !strings.Contains(text, want) || strings.Contains(text, "…") || strings.Count(text, "\n") != 4 {
			t.Errorf("in a file %.40s is missing:\n%s", want, text)
		}
	}
}

// TestTextTables checks that long texts are wrapped to a terminal, and left in one
// line in a file.
func TestTextTables(t *testing.T) {
	t.Parallel()
	rows := [][]string{{"id", "a"}, {"items", "a lamp of 12345 parts, a lamp of 12345 parts"}, {"state", "é"}}
	const narrow = "id      a\nitems   a lamp of 12345 parts,\n        a lamp of 12345 parts\nstate   é\n"
	for width, want := range map[int]string{
		30: narrow, 0: fmt.Sprintf("id      a\nitems   %s\nstate   é\n", rows[1][1]),
		27: fmt.Sprintf("id      a\nitems   %s\nstate   é\n", rows[1][1]), // too narrow to wrap
	} {
		if diff := cmp.Diff(want, textColumns(rows, width)); diff != "" {
			t.Errorf("width %d (-want +got):\n%s", width, diff)
		}
	}
}
