package cli

import (
	"context"
	"fmt"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
)

const retryHelp = `retry gives orders that failed or were rejected another run: the orders that are
named, or all that match --status and the other flags, newest first.

A named order that neither failed nor was rejected is left as it is, and the
others are retried all the same. As JSON it writes one order a line (NDJSON);
refusals go to standard error.

Orders that are selected by --status are counted; try --dry-run first. A terminal
shows how many are done. When an
answer is lost and the request sent again, the orders of the lost request are not
counted and do not reduce --limit.`

// maxRetriedAtOnce bounds the orders of one request: what the API accepts.
const maxRetriedAtOnce = 1000

type retryCommand struct {
	apiCommand
	status        order.Status
	errorContains string
	olderThan     string
	limit         int
	dryRun        bool
}

func newRetry(w *World) *cobra.Command {
	r := &retryCommand{apiCommand: apiCommand{World: w}}
	cmd := &cobra.Command{
		Use:   "retry [ID...]",
		Short: "Give orders that failed or were rejected another run",
		Long:  retryHelp,
		Example: `  orderctl retry my-order-1 my-order-2
  orderctl retry --status failed --error-contains "shop answered 500" --dry-run
  orderctl retry --status failed --older-than 2h30m --limit 5000`,
		Args:    validIDs,
		PreRunE: r.check,
		RunE:    r.withClient(r.run),
	}
	r.addFlags(cmd)
	addChoice(cmd, &r.status, "status", "", []order.Status{order.StatusFailed, order.StatusRejected},
		"all orders in this status: failed or rejected")
	cmd.Flags().StringVar(&r.errorContains, "error-contains", "", "only those whose error contains this, spelt exactly so")
	cmd.Flags().Func("older-than", "only those accepted longer ago than this age, or before this time in RFC 3339", ageFlag(&r.olderThan))
	cmd.Flags().IntVar(&r.limit, "limit", 0, "how many orders to retry at most (default all)")
	cmd.Flags().BoolVar(&r.dryRun, "dry-run", false, "only count them")
	return cmd
}

// check keeps anyone from retrying more orders than they meant: a flag without
// effect, or an empty text that every error contains, is a mistake.
func (r *retryCommand) check(cmd *cobra.Command, ids []string) error {
	given := cmd.Flags().Changed
	switch selected := given("status"); {
	case len(ids) > 0 && selected:
		return usagef("name orders or select them with --status, not both")
	case len(ids) == 0 && !selected:
		return usagef("name orders, or select them with --status")
	case given("error-contains") && r.errorContains == "":
		return usagef("--error-contains must not be empty")
	case given("limit") && r.limit < 1:
		return usagef("--limit must be at least 1")
	}
	for _, flag := range []string{"error-contains", "older-than", "limit", "dry-run"} {
		if len(ids) > 0 && given(flag) {
			return usagef("--%s goes with --status, not with named orders", flag)
		}
	}
	return nil
}

func (r *retryCommand) run(ctx context.Context, api *client.Client, ids []string) error {
	if len(ids) == 0 {
		return r.runMany(ctx, api)
	}
	return r.changeEach("orders", "retried", ids, func(id string) (changed, error) { return changedOrder(api.Retry(ctx, id)) })
}

// retryTotal is the sum of the API's reports.
type retryTotal struct {
	Count   int  `json:"count"`
	Retried int  `json:"retried"`
	DryRun  bool `json:"dry_run"`
}

// runMany retries all orders that match, and shows how many are done on a terminal.
func (r *retryCommand) runMany(ctx context.Context, api *client.Client) error {
	doing := "retrying"
	if r.dryRun {
		doing = "counting"
	}
	bar := newProgress(r.Stderr, r.expected(ctx, api), doing)
	total, requests, err := r.retryAll(ctx, api, bar)
	_ = bar.Finish()
	if err != nil {
		return r.stopped(requests, total, err)
	}
	return r.print(total)
}

// retryAll sends requests until no order is left to retry or the limit is reached. It
// returns how many succeeded.
func (r *retryCommand) retryAll(ctx context.Context, api *client.Client, bar *progressbar.ProgressBar) (total retryTotal, requests int, err error) {
	which := client.RetryRequest{
		Status: r.status, ErrorContains: r.errorContains, OlderThan: r.olderThan, DryRun: r.dryRun,
	}
	total.DryRun = r.dryRun
	for ; ; requests++ {
		which.Limit = maxRetriedAtOnce
		if r.limit > 0 {
			which.Limit = min(maxRetriedAtOnce, r.limit-total.Count)
		}
		report, err := api.RetryMany(ctx, which)
		if err != nil {
			return total, requests, err
		}
		total.Count += *report.Count
		total.Retried += report.Retried
		_ = bar.Add(*report.Count)
		if report.NextCursor == "" || r.limit > 0 && total.Count >= r.limit {
			return total, requests, nil
		}
		which.Cursor = report.NextCursor
	}
}

// expected is about how many orders match, for a terminal; -1 if that is not known.
func (r *retryCommand) expected(ctx context.Context, api *client.Client) int64 {
	if !isTerminal(r.Stderr) || r.errorContains != "" || r.olderThan != "" {
		return -1
	}
	stats, err := api.Stats(ctx)
	if err != nil { // a key may lack the scope read
		return -1
	}
	if n := stats.ByStatus[r.status]; r.limit == 0 || n < int64(r.limit) {
		return n
	}
	return int64(r.limit)
}

// stopped shows what the requests before a failure did.
func (r *retryCommand) stopped(requests int, total retryTotal, err error) error {
	if requests == 0 {
		return fmt.Errorf("retry orders: %w", err)
	}
	_ = r.print(total) // standard output remembers
	if r.dryRun {
		return fmt.Errorf("retry orders: stopped, there may be more: %w", err)
	}
	return fmt.Errorf("retry orders: stopped, there may be more, and more may be pending again than were counted: %w", err)
}

func (r *retryCommand) print(total retryTotal) error {
	switch {
	case r.output == formatJSON:
		return r.printJSON(total)
	case total.Count == 0:
		r.printf(noMatch)
	case total.DryRun:
		r.printf("%s would be retried\n", countOrders(total.Count))
	default:
		r.printf("%s\n", r.sentence(total))
	}
	return nil
}

func (r *retryCommand) sentence(total retryTotal) string {
	was, is := "were rejected", "are"
	if total.Retried == 1 {
		was, is = "was rejected", "is"
	}
	if r.status == order.StatusFailed {
		was = "failed"
	}
	text := fmt.Sprintf("%s %s and %s pending again", countOrders(total.Retried), was, is)
	if others := total.Count - total.Retried; others > 0 {
		text += fmt.Sprintf(", %d more had moved on before they could be retried", others)
	}
	return text
}
