package cli

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
)

const failuresHelp = `failures shows why orders have failed: all that are failed now, in groups of alike
errors, the largest first, with one order of each and what the shop answered to it.
Without an archive they are the orders in Redis.

As JSON each group has its fingerprint, by which list and export find its orders.`

type failuresCommand struct {
	apiCommand
	since string
	limit int
}

func newFailures(w *World) *cobra.Command {
	f := &failuresCommand{apiCommand: apiCommand{World: w}}
	cmd := &cobra.Command{
		Use:   "failures",
		Short: "Show why orders have failed, in groups",
		Long:  failuresHelp,
		Example: `  orderctl failures --since 2h
  orderctl failures -o json | jq -r '.groups[0].fingerprint'`,
		Args:    cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error { return checkRange("limit", f.limit, 1, maxGroups) },
		RunE: f.withClient(func(ctx context.Context, api *client.Client, _ []string) error {
			return show(&f.apiCommand, "the failures", f.print)(api.Failures(ctx, f.query(time.Now())))
		}),
	}
	f.addFlags(cmd)
	cmd.Flags().Func("since", "only orders that failed within this age, or since this time in RFC 3339", ageFlag(&f.since))
	cmd.Flags().IntVar(&f.limit, "limit", defaultGroups, "how many groups to show")
	return cmd
}

const (
	// maxGroups is the most groups that the API returns.
	maxGroups = 1000
	// defaultGroups is how many fit a screen.
	defaultGroups = 20
)

func (f *failuresCommand) query(now time.Time) url.Values {
	query := url.Values{"limit": {strconv.Itoa(f.limit)}}
	since := f.since
	if age, err := time.ParseDuration(since); err == nil {
		since = order.FormatTime(now.Add(-age))
	}
	if since != "" {
		query.Set("since", since)
	}
	return query
}

func (f *failuresCommand) print(found client.Failures) {
	if len(found.Groups) == 0 {
		f.printf("No order is failed.\n")
	} else {
		t := newTable(f.Stdout)
		t.row("orders", "first seen", "last seen", "queue", "example", "error")
		for _, g := range found.Groups {
			example := strings.Join(g.ExampleIDs[:min(1, len(g.ExampleIDs))], "")
			t.row(g.Orders, second(g.FirstSeen), second(g.LastSeen), order.Printable(string(g.Queue)), order.Printable(example),
				joined(order.Printable(g.Error), "; the shop answered: ", order.Printable(g.Note)))
		}
		t.flush()
	}
	noteArchive(f.Stderr, found.AsOf, found.Incomplete)
}

// second is a time to the second.
func second(t time.Time) string { return t.UTC().Format(time.RFC3339) }
