package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/url"

	"github.com/spf13/cobra"

	"orderprocessor/internal/order"
)

const listHelp = `list shows the orders that match all flags, newest first.

As a table it shows what matters of each order; get shows the rest. On a
terminal it fits the width, with two lines for an order and shorter texts where
needed; written to a file or a program nothing is cut. As JSON it
writes one order a line (NDJSON), as soon as they arrive.`

type list struct {
	*World
	api      target
	output   format
	status   statusFlag
	customer string
	from, to timeFlag
	limit    int
	all      bool
}

func newList(w *World) *cobra.Command {
	l := &list{World: w, status: statusFlag{from: order.Statuses()}}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List orders, newest first",
		Long:  listHelp,
		Example: `  orderctl list --status failed
  orderctl list --customer ada@example.com --from 2026-11-23T00:00:00+01:00 --limit 200
  orderctl list --all --output json | jq -r 'select(.amount > 1000) | .id'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := l.check(cmd.Flags().Changed); err != nil {
				return err
			}
			return l.run(cmd.Context())
		},
	}
	addAPIFlags(cmd, w, &l.api)
	addOutputFlag(cmd, &l.output)
	cmd.Flags().Var(&l.status, "status", "only orders in this status, such as pending or failed")
	suggest(cmd, "status", l.status.from)
	cmd.Flags().StringVar(&l.customer, "customer", "", "only orders of this customer, spelt exactly so")
	cmd.Flags().Var(&l.from, "from", "only orders accepted at this time or later, in RFC 3339")
	cmd.Flags().Var(&l.to, "to", "only orders accepted before this time, in RFC 3339")
	cmd.Flags().IntVar(&l.limit, "limit", shownOrders, "how many orders to show")
	cmd.Flags().BoolVar(&l.all, "all", false, "show all of them")
	return cmd
}

func (l *list) check(given func(flag string) bool) error {
	switch {
	case l.all && given("limit"):
		return usagef("--all and --limit exclude each other")
	case l.limit < 1:
		return usagef("--limit must be at least 1")
	case given("customer") && l.customer == "":
		return usagef("--customer must not be empty")
	}
	if l.all {
		l.limit = math.MaxInt
	}
	return nil
}

func (l *list) run(ctx context.Context) error {
	client, err := l.api.open(1)
	if err != nil {
		return err
	}
	defer client.Close()
	found := newPages(client, l.filter())
	show, end := l.shower()
	for left := l.limit; left > 0 && !found.ended; {
		orders, err := found.next(ctx, left)
		if err != nil {
			return fmt.Errorf("list orders: %w", err)
		}
		if err := show(orders); err != nil {
			return fmt.Errorf("list orders: %w", err)
		}
		left -= len(orders)
	}
	end(found)
	return nil
}

func (l *list) filter() url.Values {
	query := url.Values{}
	for name, text := range map[string]string{
		"status": l.status.String(), "customer": l.customer,
		"created_from": l.from.String(), "created_to": l.to.String(),
	} {
		if text != "" {
			query.Set(name, text)
		}
	}
	return query
}

// shower returns what shows a page, and what comes after the last one.
func (l *list) shower() (show func([]json.RawMessage) error, end func(*pages)) {
	if l.output == formatJSON {
		return l.printLines, func(*pages) {}
	}
	t := &orderTable{World: l.World}
	return t.page, t.end
}

func (l *list) printLines(orders []json.RawMessage) error {
	for _, o := range orders {
		if err := l.printLine(o); err != nil {
			return err
		}
	}
	return nil
}
