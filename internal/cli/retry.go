package cli

import (
	"context"

	"github.com/spf13/cobra"

	"orderprocessor/internal/order"
)

const retryHelp = `retry gives orders that failed or were rejected another run: the orders that are
named, or all that match --status and the other flags, newest first.

A named order that neither failed nor was rejected is left as it is, and the
others are retried nevertheless. As JSON it writes one order a line (NDJSON);
what was refused goes to standard error.

Orders that are chosen by --status are counted; try --dry-run first. When an
answer is lost and the request sent again, what the lost one did is not counted
and --limit not reduced by it.`

type retry struct {
	*World
	api           target
	output        format
	status        statusFlag
	errorContains string
	olderThan     ageFlag
	limit         int
	dryRun        bool
}

func newRetry(w *World) *cobra.Command {
	r := &retry{World: w, status: statusFlag{from: []order.Status{order.StatusFailed, order.StatusRejected}}}
	cmd := &cobra.Command{
		Use:   "retry [ID...]",
		Short: "Give orders that failed or were rejected another run",
		Long:  retryHelp,
		Example: `  orderctl retry my-order-1 my-order-2
  orderctl retry --status failed --error-contains "shop answered 500" --dry-run
  orderctl retry --status failed --older-than 2h30m --limit 5000`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, ids []string) error {
			if err := r.check(cmd.Flags().Changed, ids); err != nil {
				return err
			}
			return r.run(cmd.Context(), ids)
		},
	}
	addAPIFlags(cmd, w, &r.api)
	addOutputFlag(cmd, &r.output)
	cmd.Flags().Var(&r.status, "status", "all orders in this status: failed or rejected")
	suggest(cmd, "status", r.status.from)
	cmd.Flags().StringVar(&r.errorContains, "error-contains", "", "only those whose error contains this, spelt exactly so")
	cmd.Flags().Var(&r.olderThan, "older-than", "only those accepted longer ago than this age, or before this time in RFC 3339")
	cmd.Flags().IntVar(&r.limit, "limit", 0, "how many orders to retry at most (default all)")
	cmd.Flags().BoolVar(&r.dryRun, "dry-run", false, "count them only")
	return cmd
}

// check lets nobody retry more orders than were meant: a flag that would have no
// effect, or an empty text that every error contains, is a mistake.
func (r *retry) check(given func(flag string) bool, ids []string) error {
	switch chosen := given("status"); {
	case len(ids) > 0 && chosen:
		return usagef("name orders or choose them with --status, not both")
	case len(ids) == 0 && !chosen:
		return usagef("name orders, or choose them with --status")
	case given("error-contains") && r.errorContains == "":
		return usagef("--error-contains must not be empty")
	case given("limit") && r.limit < 1:
		return usagef("--limit must be at least 1")
	}
	for _, flag := range []string{"error-contains", "older-than", "limit", "dry-run"} {
		if len(ids) > 0 && given(flag) {
			return usagef("--%s goes with --status, not with orders that are named", flag)
		}
	}
	return checkIDs(ids...)
}

func (r *retry) run(ctx context.Context, ids []string) error {
	client, err := r.api.open(1)
	if err != nil {
		return err
	}
	defer client.Close()
	if len(ids) == 0 {
		return r.runMany(ctx, client)
	}
	orders := &each{
		World: r.World, output: r.output, kind: "orders", change: "retried", do: client.Retry, now: statusOf,
	}
	return orders.run(ctx, ids)
}
