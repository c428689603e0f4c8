package cli

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"orderprocessor/internal/order"
)

const pauseHelp = `pause stops the work on queues: within two seconds no worker takes an order from
them any more. Attempts that run are finished, and new orders are still accepted.
It holds until the queues are resumed, whatever is restarted in between.`

// brake pauses queues, or resumes them.
type brake struct {
	*World
	api    target
	output format
	change string
	move   func(c *Client, ctx context.Context, name string) (json.RawMessage, error)
}

func newPause(w *World) *cobra.Command {
	return newBrake(&brake{World: w, change: "paused", move: (*Client).PauseQueue}, &cobra.Command{
		Use: "pause NAME...", Short: "Stop working queues", Long: pauseHelp,
		Example: `  orderctl queues pause low
  orderctl queues pause critical default low   # before maintenance of the shop`,
	})
}

func newResume(w *World) *cobra.Command {
	return newBrake(&brake{World: w, change: "resumed", move: (*Client).ResumeQueue}, &cobra.Command{
		Use: "resume NAME...", Short: "Work queues again",
		Example: `  orderctl queues resume low`,
	})
}

func newBrake(b *brake, cmd *cobra.Command) *cobra.Command {
	cmd.Args = cobra.MinimumNArgs(1)
	cmd.ValidArgsFunction = completeQueues
	cmd.RunE = func(cmd *cobra.Command, names []string) error { return b.run(cmd.Context(), names) }
	addAPIFlags(cmd, b.World, &b.api)
	addOutputFlag(cmd, &b.output)
	return cmd
}

func (b *brake) run(ctx context.Context, names []string) error {
	for _, name := range names {
		if !slices.Contains(order.Queues(), order.Queue(name)) {
			return usagef("there is no queue %q; the queues are %s", order.Printable(name), strings.Join(texts(order.Queues()), ", "))
		}
	}
	client, err := b.api.open(1)
	if err != nil {
		return err
	}
	defer client.Close()
	queues := &each{
		World: b.World, output: b.output, kind: "queues", change: b.change, now: pausedOrNot,
		do: func(ctx context.Context, name string) (json.RawMessage, error) { return b.move(client, ctx, name) },
	}
	return queues.run(ctx, names)
}

// pausedOrNot is what a queue is, for each.
func pausedOrNot(answer json.RawMessage) (string, error) {
	var v queueView
	switch {
	case json.Unmarshal(answer, &v) != nil || v.Name == "":
		return "", errNotTheAPI
	case v.Paused:
		return "paused", nil
	default:
		return "worked", nil
	}
}
