package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
)

type queuesCommand struct{ apiCommand }

func newQueues(w *World) *cobra.Command {
	q := &queuesCommand{apiCommand{World: w}}
	cmd := &cobra.Command{
		Use:   "queues",
		Short: "Show, pause and resume the queues, and show their corrupt tasks",
		Example: `  orderctl queues
  orderctl queues pause low
  orderctl queues --output json | jq '.queues[] | select(.paused) | .name'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return q.run(cmd.Context()) },
	}
	q.addFlags(cmd)
	cmd.AddCommand(newPause(w), newResume(w), newCorrupt(w))
	return cmd
}

func (q *queuesCommand) run(ctx context.Context) error {
	return q.withClient(1, func(api *client.Client) error {
		queues, err := api.Queues(ctx)
		switch {
		case err != nil:
			return fmt.Errorf("get queues: %w", err)
		case q.output == formatJSON:
			return q.printJSON(queues.JSON)
		}
		printQueues(q.Stdout, queues.Queues)
		return nil
	})
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
