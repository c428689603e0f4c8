package cli

import (
	"regexp"

	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
)

const rulesHelp = `rules is about rule sets: what decides whether an order is rejected, held or approved,
how it is handled, and in which queue it waits. docs/RULES.md describes them.

A new set is checked, pushed, simulated on orders of the past, perhaps tried as a shadow
on those of the present, and activated. To go back, activate the version before it.`

func newRules(w *World) *cobra.Command {
	cmd := &cobra.Command{
		Use: "rules", Short: "Check, store, simulate and activate sets of rules", Long: rulesHelp,
		Example: `  orderctl rules check rules.yaml
  orderctl rules push rules.yaml
  orderctl rules simulate 0f3c9d1a2b4e
  orderctl rules activate 0f3c9d1a2b4e`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newRulesCheck(w), newRulesPush(w), newRulesList(w), newRulesShow(w), newRulesSimulate(w), newRulesShadow(w),
		newRulesActivate(w))
	return cmd
}

// validVersions rejects arguments that cannot be versions. It is a cobra.PositionalArgs.
func validVersions(_ *cobra.Command, versions []string) error {
	for _, version := range versions {
		if version != order.VersionBuiltin && !regexp.MustCompile(`^[0-9a-f]{12}$`).MatchString(version) {
			return usagef("%q cannot be a version: 12 of 0-9 a-f, as push shows it, or %s", order.Printable(version), order.VersionBuiltin)
		}
	}
	return nil
}

// printInForce writes which versions decide.
func (w *World) printInForce(in client.RulesInForce) {
	t := newTable(w.Stdout)
	t.row("active", order.Printable(in.Active))
	if in.Shadow != "" {
		t.row("shadow", order.Printable(in.Shadow))
	}
	t.flush()
}
