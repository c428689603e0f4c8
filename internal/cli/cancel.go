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

func newCancel(w *World) *cobra.Command {
	c := &apiCommand{World: w}
	var reason string
	cmd := &cobra.Command{
		Use:   "cancel ID...",
		Short: "Withdraw orders",
		Long:  cancelHelp,
		Example: `  orderctl cancel my-order-1 my-order-2 --reason "ordered twice by mistake"
  orderctl list --status scheduled --all --output json | jq -r .id | xargs orderctl cancel`,
		Args: cobra.MatchAll(cobra.MinimumNArgs(1), validIDs),
		RunE: c.withClient(func(ctx context.Context, api *client.Client, ids []string) error {
			return c.changeEach("orders", "cancelled", ids, func(id string) (changed, error) {
				return changedOrder(api.Cancel(ctx, id, reason))
			})
		}),
	}
	c.addFlags(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept with the orders")
	return cmd
}
