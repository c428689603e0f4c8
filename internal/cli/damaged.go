package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"orderprocessor/internal/order"
)

const damagedHelp = `damaged lists the places in the queues that no worker could read and that were set
aside, newest first, at most a hundred of each queue. Their orders were queued
anew, so nothing has to be done for them; but something else than this service
writes to its Redis.`

// maxShownBytes bounds how much of a message is shown on a terminal.
const maxShownBytes = 40

type damaged struct {
	*World
	api    target
	output format
}

func newDamaged(w *World) *cobra.Command {
	d := &damaged{World: w}
	cmd := &cobra.Command{
		Use: "damaged", Short: "Show what no worker could read", Long: damagedHelp,
		Example: `  orderctl queues damaged`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return d.run(cmd.Context()) },
	}
	addAPIFlags(cmd, w, &d.api)
	addOutputFlag(cmd, &d.output)
	return cmd
}

// damagedView is what was set aside of one queue, as the API shows it.
type damagedView struct {
	Queue   string `json:"queue"`
	Damaged []struct {
		OrderID    string    `json:"order_id"`
		SetAsideAt time.Time `json:"set_aside_at"`
		Message    []byte    `json:"message"`
	} `json:"damaged"`
}

func (d *damaged) run(ctx context.Context) error {
	client, err := d.api.open(1)
	if err != nil {
		return err
	}
	defer client.Close()
	all := make([]json.RawMessage, 0, len(order.Queues()))
	for _, q := range order.Queues() {
		answer, err := client.DamagedIn(ctx, string(q))
		if err != nil {
			return fmt.Errorf("get what is damaged in queue %s: %w", q, err)
		}
		all = append(all, answer)
	}
	if d.output == formatJSON {
		answer, err := json.Marshal(all)
		if err != nil {
			return errNotTheAPI
		}
		return d.printJSON(answer)
	}
	return d.print(all)
}

func (d *damaged) print(answers []json.RawMessage) error {
	t := newTable(d.Stdout)
	t.row("queue", "order", "set aside at", "begins with")
	for _, answer := range answers {
		var v damagedView
		if json.Unmarshal(answer, &v) != nil || v.Damaged == nil {
			return errNotTheAPI
		}
		for _, one := range v.Damaged {
			shown := len(one.Message)
			if isTerminal(d.Stdout) {
				shown = min(shown, maxShownBytes)
			}
			begins := strconv.QuoteToASCII(string(one.Message[:shown]))
			t.row(order.Printable(v.Queue), order.Printable(one.OrderID), one.SetAsideAt.Format(time.RFC3339), begins)
		}
	}
	_ = t.end()
	return nil
}
