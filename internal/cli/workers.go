package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
)

// maxLongest is how many orders in work are printed.
const maxLongest = 20

func newWorkers(w *World) *cobra.Command {
	c := &apiCommand{World: w}
	cmd := &cobra.Command{
		Use:   "workers",
		Short: "Show the worker processes and the orders that they work",
		Example: `  orderctl workers
  orderctl workers --output json | jq '.workers[] | select(.heartbeat_age_seconds > 5) | .id'`,
		Args: cobra.NoArgs,
		RunE: c.withClient(func(ctx context.Context, api *client.Client, _ []string) error {
			return show(c, "workers", c.printWorkers)(api.Workers(ctx))
		}),
	}
	c.addFlags(cmd)
	return cmd
}

func (c *apiCommand) printWorkers(v client.Workers) {
	if len(v.Workers) == 0 {
		c.printf("no worker is alive\n")
		return
	}
	t := newTable(c.Stdout)
	t.row("worker", "busy", "slots", "heartbeat", "started", "version")
	for _, w := range v.Workers {
		t.row(order.Printable(w.ID), w.Busy, w.Slots, fmt.Sprintf("%d s ago", w.HeartbeatAgeSeconds), w.StartedAt.UTC().Format(time.RFC3339), order.Printable(w.Version))
	}
	t.flush()
	c.printWorked(v)
}

// printWorked prints the orders that have been worked for the longest time.
func (c *apiCommand) printWorked(v client.Workers) {
	type worked struct {
		worker string
		client.WorkedOrder
	}
	var all []worked
	busy := 0
	for _, w := range v.Workers {
		busy += w.Busy
		for _, o := range w.Orders {
			all = append(all, worked{w.ID, o})
		}
	}
	if len(all) == 0 {
		return
	}
	slices.SortStableFunc(all, func(a, b worked) int { return cmp.Compare(b.RunningSeconds, a.RunningSeconds) })
	all = all[:min(len(all), maxLongest)]
	c.printf("\n")
	t := newTable(c.Stdout)
	t.row("order", "attempt", "running", "worker")
	for _, o := range all {
		t.row(order.Printable(o.ID), o.Attempt, fmt.Sprintf("%.1f s", o.RunningSeconds), order.Printable(o.worker))
	}
	t.flush()
	if more := busy - len(all); more > 0 {
		c.printf("and %s that began later\n", countOrders(more))
	}
}
