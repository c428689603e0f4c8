package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
)

// maxSimulated bounds the orders of a simulation: what the API accepts.
const maxSimulated = 1_000_000

const rulesSimulateHelp = `simulate decides orders of the past by a version and by the active one, on the facts
that are kept, and shows what differs. Nothing changes. It takes the newest orders that
match all flags, 100,000 of them unless --limit says otherwise. A terminal shows how many
are done. Ctrl-C ends it.`

type rulesSimulate struct {
	apiCommand
	which client.SimulationRequest
}

func newRulesSimulate(w *World) *cobra.Command {
	s := &rulesSimulate{apiCommand: apiCommand{World: w}}
	cmd := &cobra.Command{
		Use: "simulate VERSION", Short: "Show what a version would decide differently", Long: rulesSimulateHelp,
		Example: `  orderctl rules simulate 0f3c9d1a2b4e
  orderctl rules simulate 0f3c9d1a2b4e --status rejected --from 2026-11-01T00:00:00Z
  orderctl rules simulate 0f3c9d1a2b4e --output json | jq .changed`,
		Args: cobra.MatchAll(cobra.ExactArgs(1), validVersions),
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("limit") {
				return nil
			}
			return checkRange("limit", s.which.Limit, 1, maxSimulated)
		},
		RunE: s.withClient(s.run),
	}
	s.addFlags(cmd)
	addChoice(cmd, &s.which.Status, "status", "", order.Statuses(), "only orders in this status, such as rejected")
	cmd.Flags().Func("from", "only orders accepted at this time or later, in RFC 3339", timeFlag(&s.which.CreatedFrom))
	cmd.Flags().Func("to", "only orders accepted before this time, in RFC 3339", timeFlag(&s.which.CreatedTo))
	cmd.Flags().IntVar(&s.which.Limit, "limit", 0, "how many orders at most, the newest (default 100000)")
	return cmd
}

func (s *rulesSimulate) run(ctx context.Context, api *client.Client, args []string) error {
	bar := newProgress(s.Stderr, -1, "simulating")
	result, err := api.Simulate(ctx, args[0], s.which, func(so client.Simulation) { _ = bar.Set64(so.Orders) })
	_ = bar.Finish()
	switch {
	case err != nil:
		return fmt.Errorf("simulate rules %s: %w", args[0], err)
	case s.output == formatJSON:
		return s.printJSON(result.Text())
	}
	s.print(result)
	return nil
}

func (s *rulesSimulate) print(v client.Simulation) {
	switch {
	case v.Orders == 0:
		s.printf(noMatch)
		return
	case v.Changed == 0:
		s.printf("It decides %s as the active version does. Queues and tags are not compared.\n", countOrders(v.Orders))
	default:
		s.printf("It decides %d of %s differently from the active version.\n\n", v.Changed, countOrders(v.Orders))
		s.printChanges(v)
		s.printf("\nSome of them:\n\n")
		s.printExamples(v)
	}
	if v.Errors > 0 {
		s.printf("\nFor %s a rule could not be evaluated; such orders are held.\n", countOrders(v.Errors))
	}
}

func (s *rulesSimulate) printChanges(v client.Simulation) {
	t := newTable(s.Stdout)
	t.row("from", "to", "orders", "amount")
	for _, change := range v.Transitions {
		t.row(order.Printable(change.From), order.Printable(change.To), change.Orders, amountsText(change.Amounts))
	}
	t.flush()
}

// amountsText is a sum in each currency.
func amountsText(amounts map[order.Currency]order.Money) string {
	var all []string
	for _, currency := range slices.Sorted(maps.Keys(amounts)) {
		all = append(all, fmt.Sprintf("%v %s", amounts[currency], order.Printable(string(currency))))
	}
	return strings.Join(all, ", ")
}

func (s *rulesSimulate) printExamples(v client.Simulation) {
	t := newTable(s.Stdout)
	t.row("id", "from", "to", "rule")
	for _, e := range v.Examples {
		t.row(order.Printable(e.ID), order.Printable(e.From), order.Printable(e.To), order.Printable(e.Rule))
	}
	t.flush()
}
