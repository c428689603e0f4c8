package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
)

const corruptHelp = `corrupt lists the tasks that no worker could decode, newest first, at most a hundred
of each queue. Their orders were queued again, so they need no action; but
something other than this service writes to its Redis.`

// maxShownBytes bounds how much of a message is shown on a terminal.
const maxShownBytes = 40

func newCorrupt(w *World) *cobra.Command {
	c := &apiCommand{World: w}
	cmd := &cobra.Command{
		Use: "corrupt", Short: "Show the tasks that no worker could decode", Long: corruptHelp,
		Example: `  orderctl queues corrupt`,
		Args:    cobra.NoArgs,
		RunE: c.withClient(func(ctx context.Context, api *client.Client, _ []string) error {
			var all []client.CorruptTasks
			var answers []json.RawMessage
			for _, q := range order.Queues() {
				tasks, err := api.CorruptTasks(ctx, string(q))
				if err != nil {
					return fmt.Errorf("get the corrupt tasks of queue %s: %w", q, err)
				}
				all, answers = append(all, tasks), append(answers, tasks.JSON)
			}
			if c.output == formatJSON {
				return c.printJSON(answers)
			}
			c.printCorrupt(all)
			return nil
		}),
	}
	c.addFlags(cmd)
	return cmd
}

func (c *apiCommand) printCorrupt(all []client.CorruptTasks) {
	t := newTable(c.Stdout)
	t.row("queue", "order", "found at", "begins with")
	for _, queue := range all {
		for _, task := range queue.Tasks {
			shown := len(task.Message)
			if isTerminal(c.Stdout) {
				shown = min(shown, maxShownBytes)
			}
			t.row(order.Printable(queue.Queue), order.Printable(task.OrderID), task.FoundAt.Format(time.RFC3339),
				strconv.QuoteToASCII(string(task.Message[:shown])))
		}
	}
	t.flush()
}
