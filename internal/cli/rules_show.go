package cli

import (
	"context"

	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
)

func newRulesShow(w *World) *cobra.Command {
	c := &apiCommand{World: w}
	cmd := &cobra.Command{
		Use: "show VERSION", Short: "Show a rule set as it was stored",
		Example: `  orderctl rules show builtin > rules.yaml
  orderctl rules show 0f3c9d1a2b4e --output json | jq -r '.rules[].name'`,
		Args: cobra.MatchAll(cobra.ExactArgs(1), validVersions),
		RunE: c.withClient(func(ctx context.Context, api *client.Client, args []string) error {
			return show(c, "rules "+args[0], func(set client.RuleSet) { c.printf("%s", order.Escape(set.Source)) })(api.RuleSet(ctx, args[0]))
		}),
	}
	c.addFlags(cmd)
	return cmd
}
