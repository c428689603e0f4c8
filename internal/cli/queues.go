package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"orderprocessor/internal/order"
)

type queues struct {
	*World
	api    target
	output format
}

func newQueues(w *World) *cobra.Command {
	q := &queues{World: w}
	cmd := &cobra.Command{
		Use:   "queues",
		Short: "Show the queues and what is damaged in them, pause and resume them",
		Example: `  orderctl queues
  orderctl queues pause low
  orderctl queues --output json | jq '.queues[] | select(.paused) | .name'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return q.run(cmd.Context()) },
	}
	addAPIFlags(cmd, w, &q.api)
	addOutputFlag(cmd, &q.output)
	cmd.AddCommand(newPause(w), newResume(w), newDamaged(w))
	return cmd
}

func (q *queues) run(ctx context.Context) error {
	client, err := q.api.open(1)
	if err != nil {
		return err
	}
	defer client.Close()
	answer, err := client.Queues(ctx)
	if err != nil {
		return fmt.Errorf("get queues: %w", err)
	}
	if q.output == formatJSON {
		return q.printJSON(answer)
	}
	var v struct {
		Queues []queueView `json:"queues"`
	}
	if json.Unmarshal(answer, &v) != nil || v.Queues == nil {
		return errNotTheAPI
	}
	printQueues(q.Stdout, v.Queues)
	return nil
}

func printQueues(w io.Writer, views []queueView) {
	t := newFigures(w)
	t.row("queue", "pending", "active", "scheduled", "retry", "archived", "paused", "oldest pending")
	for _, v := range views {
		paused := "no"
		if v.Paused {
			paused = "PAUSED"
		}
		t.row(order.Printable(v.Name), v.Pending, v.Active, v.Scheduled, v.Retry, v.Archived, paused,
			fmt.Sprintf("%.1f s", v.OldestPendingSeconds))
	}
	_ = t.end()
}
