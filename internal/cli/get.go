package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"orderprocessor/internal/order"
)

// errNotTheAPI is an answer that the API of this service would not give.
var errNotTheAPI = errors.New("the answer is not that of an order API; is --api right?")

type get struct {
	*World
	api    target
	output format
}

func newGet(w *World) *cobra.Command {
	g := &get{World: w}
	cmd := &cobra.Command{
		Use:   "get ID",
		Short: "Show one order: where it is and what happened to it",
		Example: `  orderctl get 0199c5a0-7d7e-7c51-b7a4-5d0cf0a6a1b2
  orderctl get my-order-1 --output json | jq .status`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return g.run(cmd.Context(), args[0]) },
	}
	addAPIFlags(cmd, w, &g.api)
	addOutputFlag(cmd, &g.output)
	return cmd
}

func (g *get) run(ctx context.Context, id string) error {
	if err := checkIDs(id); err != nil {
		return err
	}
	client, err := g.api.open(1)
	if err != nil {
		return err
	}
	defer client.Close()
	answer, err := client.Order(ctx, id)
	if err != nil {
		return fmt.Errorf("get order %s: %w", id, err)
	}
	if g.output == formatJSON {
		return g.printJSON(answer)
	}
	var v orderView
	if json.Unmarshal(answer, &v) != nil || v.ID == "" {
		return errNotTheAPI
	}
	g.print(v)
	return nil
}

// checkIDs finds ids that no order can have, before anything is sent.
func checkIDs(ids ...string) error {
	for _, id := range ids {
		if !order.ValidID(id) {
			return usagef("%q cannot be an order's id: 1 to %d characters of A-Z a-z 0-9 . _ -, and not . or ..", order.Printable(id), order.MaxIDChars)
		}
	}
	return nil
}

// print writes a line for everything that is known. Texts that clients chose
// cannot send control characters to the terminal.
func (g *get) print(v orderView) {
	t := newTable(g.Stdout)
	line := func(name, text string) {
		if text != "" {
			t.row(name, order.Printable(text))
		}
	}
	line("id", v.ID)
	line("status", string(v.Status))
	line("result", v.Result)
	line("error", v.Error)
	line("cancel reason", v.CancelReason)
	line("amount", v.Amount.String())
	line("items", fmt.Sprintf("%d: %s", len(v.Items), strings.Join(v.Items, ", ")))
	line("customer", v.Customer)
	line("address", v.Address)
	line("notes", v.Notes)
	line("priority", priorityName(v.Priority))
	line("queue", string(v.Queue))
	line("handling", string(v.Handling))
	line("created at", moment(v.CreatedAt))
	line("process at", moment(v.ProcessAt))
	line("next attempt at", moment(v.NextAttemptAt))
	line("processed at", moment(v.ProcessedAt))
	if v.ProcessingTimeMS != nil {
		line("processing time", fmt.Sprintf("%d ms", *v.ProcessingTimeMS))
	}
	for _, a := range v.Attempts {
		line(fmt.Sprintf("attempt %d", a.Number), a.sentence())
	}
	_ = t.end()
}

func (a attemptView) sentence() string {
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

func priorityName(p order.Priority) string {
	names := map[order.Priority]string{
		order.PriorityHigh: "high", order.PriorityMedium: "medium", order.PriorityLow: "low",
	}
	return fmt.Sprintf("%d (%s)", p, names[p])
}

// moment writes a time in UTC, and nothing for one that has not come.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return order.FormatTime(t)
}
