package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
)

type getCommand struct{ apiCommand }

func newGet(w *World) *cobra.Command {
	g := &getCommand{apiCommand{World: w}}
	cmd := &cobra.Command{
		Use:   "get ID",
		Short: "Show one order: its status and what happened to it",
		Example: `  orderctl get 0199c5a0-7d7e-7c51-b7a4-5d0cf0a6a1b2
  orderctl get my-order-1 --output json | jq .status`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return g.run(cmd.Context(), args[0]) },
	}
	g.addFlags(cmd)
	return cmd
}

func (g *getCommand) run(ctx context.Context, id string) error {
	if err := checkIDs(id); err != nil {
		return err
	}
	return g.withClient(1, func(api *client.Client) error {
		o, err := api.Order(ctx, id)
		switch {
		case err != nil:
			return fmt.Errorf("get order %s: %w", id, err)
		case g.output == formatJSON:
			return g.printJSON(o.JSON)
		}
		g.print(o)
		return nil
	})
}

// print writes a line for everything that is known. Texts of clients cannot send
// control characters to the terminal.
func (g *getCommand) print(o client.Order) {
	t := newTable(g.Stdout)
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
	line("amount", o.Amount.String())
	line("items", fmt.Sprintf("%d: %s", len(o.Items), strings.Join(o.Items, ", ")))
	line("customer", o.Customer)
	line("address", o.Address)
	line("notes", o.Notes)
	line("priority", fmt.Sprintf("%d (%s)", o.Priority, o.Priority.Name()))
	line("queue", string(o.Queue))
	line("handling", string(o.Handling))
	line("created at", moment(o.CreatedAt))
	line("process at", moment(o.ProcessAt))
	line("next attempt at", moment(o.NextAttemptAt))
	line("processed at", moment(o.ProcessedAt))
	if o.ProcessingTimeMS != nil {
		line("processing time", fmt.Sprintf("%d ms", *o.ProcessingTimeMS))
	}
	for _, a := range o.Attempts {
		line(fmt.Sprintf("attempt %d", a.Number), attemptText(a))
	}
	t.flush()
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
