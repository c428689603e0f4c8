package cli

import (
	"context"

	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
)

const rulesListHelp = `list shows the newest hundred versions of the rules, the newest first, and builtin, which
the settings of the service make. With a shadow it also shows how its decisions differ
from those that counted.`

func newRulesList(w *World) *cobra.Command {
	c := &apiCommand{World: w}
	cmd := &cobra.Command{
		Use: "list", Short: "List the versions, and how the shadow decides", Long: rulesListHelp,
		Example: `  orderctl rules list
  orderctl rules list --output json | jq -r .active`,
		Args: cobra.NoArgs,
		RunE: c.withClient(func(ctx context.Context, api *client.Client, _ []string) error {
			return show(c, "the rules", c.printRuleSets)(api.RuleSets(ctx))
		}),
	}
	c.addFlags(cmd)
	return cmd
}

func (c *apiCommand) printRuleSets(all client.RuleSets) {
	t := newTable(c.Stdout)
	t.row("version", "created at", "by", "rules", "in force")
	for _, set := range all.Versions {
		part := ""
		switch set.Version {
		case all.Active:
			part = "active"
		case all.Shadow:
			part = "shadow"
		}
		t.row(order.Printable(set.Version), moment(set.CreatedAt), order.Printable(set.CreatedBy), len(set.Rules), part)
	}
	t.flush()
	if d := all.ShadowDecisions; d != nil {
		c.printf("\nThe shadow decided %d of %s differently.\n", d.Changed, countOrders(d.Orders))
		c.printTransitions(d.Transitions)
	}
}

func (c *apiCommand) printTransitions(all []client.Transition) {
	if len(all) == 0 {
		return
	}
	c.printf("\n")
	t := newTable(c.Stdout)
	t.row("from", "to", "orders")
	for _, change := range all {
		t.row(order.Printable(change.From), order.Printable(change.To), change.Orders)
	}
	t.flush()
}
