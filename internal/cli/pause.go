package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
)

const pauseHelp = `pause stops the work on queues: within two seconds no worker begins an order from
them. Running attempts are finished, and new orders are still accepted. The queues
stay paused until they are resumed, whatever is restarted in between.`

// pauseCommand pauses queues, or resumes them.
type pauseCommand struct {
	apiCommand
	done   string // for sentences
	change func(c *client.Client, ctx context.Context, name string) (client.Queue, error)
}

func newPause(w *World) *cobra.Command {
	p := &pauseCommand{apiCommand{World: w}, "paused", (*client.Client).PauseQueue}
	return p.command(&cobra.Command{
		Use: "pause NAME...", Short: "Stop working queues", Long: pauseHelp,
		Example: `  orderctl queues pause low
  orderctl queues pause critical default low   # before maintenance of the shop`,
	})
}

func newResume(w *World) *cobra.Command {
	p := &pauseCommand{apiCommand{World: w}, "resumed", (*client.Client).ResumeQueue}
	return p.command(&cobra.Command{
		Use: "resume NAME...", Short: "Work queues again",
		Example: `  orderctl queues resume low`,
	})
}

func (p *pauseCommand) command(cmd *cobra.Command) *cobra.Command {
	cmd.Args = cobra.MinimumNArgs(1)
	cmd.ValidArgsFunction = completeQueues
	cmd.RunE = func(cmd *cobra.Command, names []string) error { return p.run(cmd.Context(), names) }
	p.addFlags(cmd)
	return cmd
}

// completeQueues completes arguments with the queues that are not yet named.
func completeQueues(_ *cobra.Command, named []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	left := slices.DeleteFunc(texts(order.Queues()), func(name string) bool { return slices.Contains(named, name) })
	return left, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

func (p *pauseCommand) run(ctx context.Context, names []string) error {
	for _, name := range names {
		if !slices.Contains(order.Queues(), order.Queue(name)) {
			return usagef("there is no queue %q; the queues are %s", order.Printable(name), list(order.Queues()))
		}
	}
	return p.withClient(func(api *client.Client) error {
		queues := &changeEach{
			World: p.World, output: p.output, kind: "queues", done: p.done,
			change: func(ctx context.Context, name string) (changed, error) {
				q, err := p.change(api, ctx, name)
				state := "worked"
				if q.Paused {
					state = "paused"
				}
				return changed{state, q.JSON}, err
			},
		}
		return queues.run(ctx, names)
	})
}
