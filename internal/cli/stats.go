package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
)

func newStats(w *World) *cobra.Command {
	c := &apiCommand{World: w}
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "Show how many orders are in which status, and how long they take",
		Example: `  orderctl stats
  orderctl stats --output json | jq .ledger.drift`,
		Args: cobra.NoArgs,
		RunE: c.withClient(func(ctx context.Context, api *client.Client, _ []string) error {
			return show(c, "stats", c.printStats)(api.Stats(ctx))
		}),
	}
	c.addFlags(cmd)
	return cmd
}

func getStats(ctx context.Context, api *client.Client) (client.Stats, error) {
	stats, err := api.Stats(ctx)
	if err != nil {
		return stats, fmt.Errorf("get stats: %w", err)
	}
	return stats, nil
}

func (c *apiCommand) printStats(v client.Stats) {
	t := newTable(c.Stdout)
	t.row("   accepted", v.Ledger.Accepted)
	t.row("   drift", driftText(v.Ledger.Drift))
	t.row("   repairs", repairsText(v.Ledger.Repairs))
	t.row("   worker slots", numberText(v.ActiveWorkers))
	t.row("   throughput", fmt.Sprintf("%.1f orders per second in the last ten seconds", v.ThroughputPerSecond))
	t.row("   outcomes", fmt.Sprintf("%.1f completed and %.1f failed per second", v.CompletedPerSecond, v.FailedPerSecond))
	if f := v.Fulfilment; f.State != "" { // an API of an earlier version does not say it
		calls := "none in the last minute"
		if f.CallsPerSecond > 0 {
			calls = fmt.Sprintf("%.1f per second in the last minute, %.0f %% succeeded", f.CallsPerSecond, 100*f.SuccessRatio)
		}
		t.row("   calls to the shop", calls)
		t.row("   circuit breaker", breakerText(f))
		if f.LastError != "" {
			t.row("   last error of the shop", order.Printable(f.LastError))
		}
	}
	t.row("   uptime", time.Duration(v.UptimeSeconds)*time.Second)
	t.flush()

	c.printBooks(v.Ledger.Books)
	c.printf("\n")
	t = newTable(c.Stdout)
	t.row("status", "orders")
	for _, status := range order.Statuses() {
		t.row(status, v.ByStatus[status])
	}
	t.flushFigures()

	c.printf("\n")
	queues := make([]client.Queue, len(order.Queues()))
	for i, name := range order.Queues() {
		queues[i] = v.Queues[name]
		queues[i].Name = string(name)
	}
	printQueues(c.Stdout, queues)
	c.printf("\n")
	printLatency(c.Stdout, v.LatencyMS)
}

// printBooks prints the books where there are several.
func (c *apiCommand) printBooks(books []client.Book) {
	if len(books) == 0 {
		return
	}
	c.printf("\n")
	t := newTable(c.Stdout)
	t.row("book", "accepted", "unsettled", "drift")
	for _, b := range books {
		name := strconv.Itoa(b.Book)
		if b.Away {
			name += " (away; as last known)"
		}
		t.row(name, b.Accepted, b.Unsettled, b.Drift)
	}
	t.flushFigures()
}

// numberText is a number that the API may not know.
func numberText(n *int) string {
	if n == nil {
		return "unknown"
	}
	return strconv.Itoa(*n)
}

// breakerText is the state of the circuit breaker, and since when.
func breakerText(f client.Fulfilment) string {
	text := order.Printable(strings.ReplaceAll(string(f.State), "_", " "))
	if f.Since.IsZero() {
		return text
	}
	return text + " since " + f.Since.UTC().Format(time.RFC3339)
}

// driftText explains the one figure that must be zero.
func driftText(drift int64) string {
	if drift == 0 {
		return "0 (the books balance)"
	}
	return fmt.Sprintf("%d (THE BOOKS DO NOT BALANCE)", drift)
}

// repairsText lists the kinds of repairs that were made.
func repairsText(repairs map[order.Repair]int64) string {
	var made []string
	for _, kind := range order.Repairs() {
		if n := repairs[kind]; n > 0 {
			made = append(made, fmt.Sprintf("%d %s", n, strings.ReplaceAll(string(kind), "_", " ")))
		}
	}
	if len(made) == 0 {
		return "none"
	}
	return strings.Join(made, ", ")
}

// latencyRow is one line of a table of latencies.
type latencyRow struct {
	name string
	client.Quantiles
}

func latencyRows(l client.Latency) []latencyRow {
	return []latencyRow{{"queue wait", l.QueueWait}, {"processing", l.Processing}, {"end to end", l.EndToEnd}}
}

func printLatency(w io.Writer, l client.Latency) {
	t := newTable(w)
	t.row("latency in ms", "p50", "p95", "p99")
	for _, row := range latencyRows(l) {
		t.row(row.name, fmt.Sprintf("%.1f", row.P50), fmt.Sprintf("%.1f", row.P95), fmt.Sprintf("%.1f", row.P99))
	}
	t.flushFigures()
}
