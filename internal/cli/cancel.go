package cli

import (
	"context"

	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
)

const cancelHelp = `cancel withdraws orders that are scheduled, pending or retrying. An order that is
being worked or has its outcome is left as it is, and the others are cancelled all
the same. Cancelling an order twice does no harm.

As JSON it writes one order a line (NDJSON); refusals go to standard error.`

type cancelCommand struct {
	apiCommand
	reason string
}

func newCancel(w *World) *cobra.Command {
	c := &cancelCommand{apiCommand: apiCommand{World: w}}
	cmd := &cobra.Command{
		Use:   "cancel ID...",
		Short: "Withdraw orders",
		Long:  cancelHelp,
		Example: `  orderctl cancel my-order-1 my-order-2 --reason "ordered twice by mistake"
  orderctl list --status scheduled --all --output json | jq -r .id | xargs orderctl cancel`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), args) },
	}
	c.addFlags(cmd)
	cmd.Flags().StringVar(&c.reason, "reason", "", "why; kept with the orders")
	return cmd
}

func (c *cancelCommand) run(ctx context.Context, ids []string) error {
	if err := checkIDs(ids...); err != nil {
		return err
	}
	return c.withClient(func(api *client.Client) error {
		orders := &changeEach{
			World: c.World, output: c.output, kind: "orders", done: "cancelled",
			change: func(ctx context.Context, id string) (changed, error) {
				return changedOrder(api.Cancel(ctx, id, c.reason))
			},
		}
		return orders.run(ctx, ids)
	})
}
