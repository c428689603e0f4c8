package cli

import (
	"context"

	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
)

const rejectHelp = `reject ends held orders: the shop never learns of them. An order that is not held is
left as it is, and the others are rejected all the same. Rejecting an order twice does
no harm.

As JSON it writes one order a line (NDJSON); refusals go to standard error.`

func newReject(w *World) *cobra.Command {
	c := &apiCommand{World: w}
	var reason string
	cmd := &cobra.Command{
		Use:     "reject ID... --reason TEXT",
		Short:   "Reject held orders",
		Long:    rejectHelp,
		Example: `  orderctl reject my-order-1 my-order-2 --reason "the card was stolen"`,
		Args:    cobra.MatchAll(cobra.MinimumNArgs(1), validIDs),
		PreRunE: func(*cobra.Command, []string) error {
			if reason == "" {
				return usagef("--reason must say why")
			}
			return nil
		},
		RunE: c.withClient(func(ctx context.Context, api *client.Client, ids []string) error {
			return c.changeEach("orders", "rejected", ids, func(id string) (changed, error) {
				return changedOrder(api.Reject(ctx, id, reason))
			})
		}),
	}
	c.addFlags(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why; shown as the error of the orders")
	return cmd
}
