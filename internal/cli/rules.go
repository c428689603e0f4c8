package cli

import "github.com/spf13/cobra"

const rulesHelp = `rules is about rule sets: what decides whether an order is rejected, held or approved,
how it is handled, and in which queue it waits. docs/RULES.md describes them.`

func newRules(w *World) *cobra.Command {
	cmd := &cobra.Command{
		Use: "rules", Short: "Check sets of rules", Long: rulesHelp,
		Example: `  orderctl rules check rules.yaml`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newRulesCheck(w))
	return cmd
}
