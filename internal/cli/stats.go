package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"orderprocessor/internal/order"
)

type statsCommand struct {
	*World
	api    target
	output format
}

func newStats(w *World) *cobra.Command {
	s := &statsCommand{World: w}
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "Show how many orders are where, and how long they take",
		Example: `  orderctl stats
  orderctl stats --output json | jq .ledger.drift`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.run(cmd.Context()) },
	}
	addAPIFlags(cmd, w, &s.api)
	addOutputFlag(cmd, &s.output)
	return cmd
}

func (s *statsCommand) run(ctx context.Context) error {
	client, err := s.api.open(1)
	if err != nil {
		return err
	}
	defer client.Close()
	answer, err := client.Stats(ctx)
	if err != nil {
		return fmt.Errorf("get stats: %w", err)
	}
	if s.output == formatJSON {
		return s.printJSON(answer)
	}
	v, err := decodeStats(answer)
	if err != nil {
		return err
	}
	s.print(v)
	return nil
}

func decodeStats(answer json.RawMessage) (statsView, error) {
	v := statsView{ActiveWorkers: notKnown, Workers: notKnown}
	if json.Unmarshal(answer, &v) != nil || v.ByStatus == nil {
		return statsView{}, errNotTheAPI
	}
	return v, nil
}

// notKnown stands for a number that the API leaves out, as it does not know it.
const notKnown = -1

// numberText is a number that may not be known.
func numberText(n int) string {
	if n == notKnown {
		return "unknown"
	}
	return strconv.Itoa(n)
}

func (s *statsCommand) print(v statsView) {
	t := newTable(s.Stdout)
	t.row("   accepted", v.Ledger.Accepted)
	t.row("   drift", driftText(v.Ledger.Drift))
	t.row("   repairs", repairsText(v.Ledger.Repairs))
	t.row("   worker slots", numberText(v.ActiveWorkers))
	t.row("   throughput", fmt.Sprintf("%.1f orders per second in the last ten seconds", v.ThroughputPerSecond))
	t.row("   uptime", time.Duration(v.UptimeSeconds)*time.Second)
	_ = t.end()

	s.printf("\n")
	t = newFigures(s.Stdout)
	t.row("status", "orders")
	for _, status := range order.Statuses() {
		t.row(status, v.ByStatus[status])
	}
	_ = t.end()

	s.printf("\n")
	queues := make([]queueView, len(order.Queues()))
	for i, name := range order.Queues() {
		queues[i] = v.Queues[name]
		queues[i].Name = string(name)
	}
	printQueues(s.Stdout, queues)
	s.printf("\n")
	printLatency(s.Stdout, v.LatencyMS)
}

// driftText explains the one figure that must be zero.
func driftText(drift int64) string {
	if drift == 0 {
		return "0 (the books balance)"
	}
	return fmt.Sprintf("%d (THE BOOKS DO NOT BALANCE)", drift)
}

func printLatency(w io.Writer, v latencyView) {
	t := newFigures(w)
	t.row("latency in ms", "p50", "p95", "p99")
	for _, l := range []struct {
		name string
		quantilesView
	}{{"queue wait", v.QueueWait}, {"processing", v.Processing}, {"end to end", v.EndToEnd}} {
		t.row(l.name, fmt.Sprintf("%.1f", l.P50), fmt.Sprintf("%.1f", l.P95), fmt.Sprintf("%.1f", l.P99))
	}
	_ = t.end()
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
