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

const getHelp = `get shows everything that is known of an order, and what the rules decided about it.

As JSON it writes the order, as the API sent it.`

func newGet(w *World) *cobra.Command {
	c := &apiCommand{World: w}
	cmd := &cobra.Command{
		Use:   "get ID",
		Short: "Show one order: its status and what happened to it",
		Long:  getHelp,
		Example: `  orderctl get 0199c5a0-7d7e-7c51-b7a4-5d0cf0a6a1b2
  orderctl get my-order-1 --output json | jq .status`,
		Args: cobra.MatchAll(cobra.ExactArgs(1), validIDs),
		RunE: c.withClient(func(ctx context.Context, api *client.Client, ids []string) error {
			return c.getOrder(ctx, api, ids[0])
		}),
	}
	c.addFlags(cmd)
	return cmd
}

// getOrder shows an order, also if the decision about it cannot be had.
func (c *apiCommand) getOrder(ctx context.Context, api *client.Client, id string) error {
	o, err := api.Order(ctx, id)
	switch {
	case err != nil:
		return fmt.Errorf("get order %s: %w", id, err)
	case c.output == formatJSON:
		return c.printJSON(o.Text())
	}
	d, err := findDecided(ctx, api, id)
	c.printOrder(o, d)
	return err
}

// printOrder writes a line for everything that is known. Texts of clients cannot send
// control characters to the terminal.
func (c *apiCommand) printOrder(o client.Order, d decided) {
	t := newTable(c.Stdout)
	line := func(name, text string) {
		if text != "" {
			t.row(name, order.Printable(text))
		}
	}
	line("id", o.ID)
	line("status", string(o.Status))
	line("result", o.Result)
	line("error", o.Error)
	line("cancel reason", o.CancelReason)
	line("held by", holdText(o.Hold))
	line("amount", o.Amount.String())
	line("currency", string(o.Currency))
	line("items", fmt.Sprintf("%d: %s", len(o.Items), itemsText(o.Items)))
	line("customer", o.Customer)
	line("address", o.Address)
	line("country", string(o.Country))
	line("notes", o.Notes)
	line("metadata", pairs(o.Metadata))
	line("priority", fmt.Sprintf("%d (%s)", o.Priority, o.Priority.Name()))
	line("queue", string(o.Queue))
	line("handling", string(o.Handling))
	line("tags", strings.Join(o.Tags, ", "))
	d.write(line)
	line("created at", moment(o.CreatedAt))
	line("process at", moment(o.ProcessAt))
	line("next attempt at", moment(o.NextAttemptAt))
	line("processed at", moment(o.ProcessedAt))
	if o.ProcessingTimeMS != nil {
		line("processing time", fmt.Sprintf("%d ms", *o.ProcessingTimeMS))
	}
	if o.Archived {
		line("archived", "yes, it has left Redis")
	}
	for _, a := range o.Attempts {
		line(fmt.Sprintf("attempt %d", a.Number), attemptText(a))
	}
	t.flush()
}

// itemsText writes items as in "tea, 6 x cups (c-1) at 2.50".
func itemsText(items []order.Item) string {
	all := make([]string, len(items))
	for i, item := range items {
		all[i] = item.Name
		if item.Quantity > 0 {
			all[i] = fmt.Sprintf("%d x %s", item.Quantity, item.Name)
		}
		if item.SKU != "" {
			all[i] += " (" + item.SKU + ")"
		}
		if item.UnitPrice != nil {
			all[i] += " at " + item.UnitPrice.String()
		}
	}
	return strings.Join(all, ", ")
}

// pairs writes metadata in the order of its keys.
func pairs(metadata map[string]string) string {
	all := make([]string, 0, len(metadata))
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		all = append(all, key+"="+metadata[key])
	}
	return strings.Join(all, ", ")
}

func attemptText(a client.Attempt) string {
	parts := []string{moment(a.StartedAt), "by " + a.WorkerID}
	if a.EndedAt.IsZero() {
		parts = append(parts, "running")
	}
	if a.Error != "" {
		parts = append(parts, a.Error)
	}
	if a.Note != "" {
		parts = append(parts, "fulfilment said: "+a.Note)
	}
	return strings.Join(parts, ", ")
}
