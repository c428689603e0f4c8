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

func newPause(w *World) *cobra.Command {
	return newQueueChange(w, "paused", (*client.Client).PauseQueue, &cobra.Command{
		Use: "pause NAME...", Short: "Stop working queues", Long: pauseHelp,
		Example: `  orderctl queues pause low
  orderctl queues pause critical default low   # before maintenance of the shop`,
	})
}

func newResume(w *World) *cobra.Command {
	return newQueueChange(w, "resumed", (*client.Client).ResumeQueue, &cobra.Command{
		Use: "resume NAME...", Short: "Work queues again",
		Example: `  orderctl queues resume low`,
	})
}

// queueChange pauses or resumes a queue.
type queueChange func(api *client.Client, ctx context.Context, name string) (client.Queue, error)

func newQueueChange(w *World, done string, change queueChange, cmd *cobra.Command) *cobra.Command {
	c := &apiCommand{World: w}
	cmd.Args = cobra.MatchAll(cobra.MinimumNArgs(1), validQueues)
	cmd.ValidArgsFunction = completeQueues
	cmd.RunE = c.withClient(func(ctx context.Context, api *client.Client, names []string) error {
		return c.changeEach("queues", done, names, func(name string) (changed, error) {
			q, err := change(api, ctx, name)
			state := "worked"
			if q.Paused {
				state = "paused"
			}
			return changed{state, q.JSON}, err
		})
	})
	c.addFlags(cmd)
	return cmd
}

// completeQueues completes arguments with the queues that are not yet named.
func completeQueues(_ *cobra.Command, named []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	left := slices.DeleteFunc(texts(order.Queues()), func(name string) bool { return slices.Contains(named, name) })
	return left, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// validQueues rejects arguments that are no queues. It is a cobra.PositionalArgs.
func validQueues(_ *cobra.Command, names []string) error {
	return checkNames("queue", "queues", names, order.Queues())
}
