package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
)

func newQueues(w *World) *cobra.Command {
	c := &apiCommand{World: w}
	cmd := &cobra.Command{
		Use:   "queues",
		Short: "Show, pause and resume the queues, and show their corrupt tasks",
		Example: `  orderctl queues
  orderctl queues pause low
  orderctl queues --output json | jq '.queues[] | select(.paused) | .name'`,
		Args: cobra.NoArgs,
		RunE: c.withClient(func(ctx context.Context, api *client.Client, _ []string) error {
			return show(c, "queues", func(q client.Queues) { printQueues(c.Stdout, q.Queues) })(api.Queues(ctx))
		}),
	}
	c.addFlags(cmd)
	cmd.AddCommand(newPause(w), newResume(w), newCorrupt(w))
	return cmd
}

func printQueues(w io.Writer, queues []client.Queue) {
	t := newTable(w)
	t.row("queue", "pending", "active", "scheduled", "retry", "archived", "paused", "oldest pending")
	for _, q := range queues {
		paused := "no"
		if q.Paused {
			paused = "PAUSED"
		}
		t.row(order.Printable(q.Name), q.Pending, q.Active, q.Scheduled, q.Retry, q.Archived, paused,
			fmt.Sprintf("%.1f s", q.OldestPendingSeconds))
	}
	t.flushFigures()
}
