package cli

import (
	"context"

	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
)

const rulesShadowHelp = `shadow lets a version decide each new order beside the active one. Its decisions are
stored with the orders and counted, and change nothing: "orderctl rules list" shows how
they differ. There is one shadow at a time, in force everywhere within two seconds.`

func newRulesShadow(w *World) *cobra.Command {
	c := &apiCommand{World: w}
	var end bool
	cmd := &cobra.Command{
		Use: "shadow [VERSION]", Short: "Let a version decide without effect", Long: rulesShadowHelp,
		Example: `  orderctl rules shadow 0f3c9d1a2b4e
  orderctl rules shadow --end`,
		Args: cobra.MatchAll(cobra.MaximumNArgs(1), validVersions),
		PreRunE: func(_ *cobra.Command, args []string) error {
			if end == (len(args) > 0) {
				return usagef("name a version, or end the shadow with --end")
			}
			return nil
		},
		RunE: c.withClient(func(ctx context.Context, api *client.Client, args []string) error {
			done := show(c, "the shadow", c.printInForce)
			if end {
				return done(api.EndShadow(ctx))
			}
			return done(api.ShadowRules(ctx, args[0]))
		}),
	}
	c.addFlags(cmd)
	cmd.Flags().BoolVar(&end, "end", false, "let no version decide beside the active one")
	return cmd
}
