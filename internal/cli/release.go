package cli

import (
	"context"

	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
)

const releaseHelp = `release lets held orders be worked, with the handling that the rules chose. An order
that is not held is left as it is, and the others are released all the same. Releasing
an order twice does no harm.

As JSON it writes one order a line (NDJSON); refusals go to standard error.`

func newRelease(w *World) *cobra.Command {
	c := &apiCommand{World: w}
	var reason string
	cmd := &cobra.Command{
		Use:   "release ID...",
		Short: "Release held orders, to be worked",
		Long:  releaseHelp,
		Example: `  orderctl release my-order-1 --reason "the customer has confirmed it"
  orderctl list --status held --all --output json | jq -r .id | xargs orderctl release`,
		Args: cobra.MatchAll(cobra.MinimumNArgs(1), validIDs),
		RunE: c.withClient(func(ctx context.Context, api *client.Client, ids []string) error {
			return c.changeEach("orders", "released", ids, func(id string) (changed, error) {
				return changedOrder(api.Release(ctx, id, reason))
			})
		}),
	}
	c.addFlags(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept in the timelines of the orders")
	return cmd
}
