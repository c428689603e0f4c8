package cli

import (
	"context"
	"encoding/json"

	"github.com/spf13/cobra"
)

const cancelHelp = `cancel withdraws orders that are scheduled, pending or retrying. An order that is
being worked or has its outcome is left as it is, and the others are cancelled
nevertheless. Cancelling an order twice does no harm.

As JSON it writes one order a line (NDJSON); what was refused goes to standard
error.`

type cancel struct {
	*World
	api    target
	output format
	reason string
}

func newCancel(w *World) *cobra.Command {
	c := &cancel{World: w}
	cmd := &cobra.Command{
		Use:   "cancel ID...",
		Short: "Withdraw orders",
		Long:  cancelHelp,
		Example: `  orderctl cancel my-order-1 my-order-2 --reason "ordered twice by mistake"
  orderctl list --status scheduled --all --output json | jq -r .id | xargs orderctl cancel`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), args) },
	}
	addAPIFlags(cmd, w, &c.api)
	addOutputFlag(cmd, &c.output)
	cmd.Flags().StringVar(&c.reason, "reason", "", "why, to be kept with the orders")
	return cmd
}

func (c *cancel) run(ctx context.Context, ids []string) error {
	if err := checkIDs(ids...); err != nil {
		return err
	}
	client, err := c.api.open(1)
	if err != nil {
		return err
	}
	defer client.Close()
	orders := &each{
		World: c.World, output: c.output, kind: "orders", change: "cancelled", now: statusOf,
		do: func(ctx context.Context, id string) (json.RawMessage, error) {
			return client.Cancel(ctx, id, c.reason)
		},
	}
	return orders.run(ctx, ids)
}
