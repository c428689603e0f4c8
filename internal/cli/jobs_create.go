package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
)

const jobsCreateHelp = `create creates a job that does one thing with all orders that match the flags: retry,
cancel, release or reject. It counts them first; with --dry-run it does nothing else.

It selects among the orders that are still in Redis, as only those can be changed, and
changes no order that was accepted or has changed after the job was created.

The id of the job is written at once; with --wait the job itself, when it has ended or is
paused.`

type jobsCreateCommand struct {
	apiCommand
	filter orderFilter
	job    client.NewJob
	wait   bool
}

func newJobsCreate(w *World) *cobra.Command {
	c := &jobsCreateCommand{apiCommand: apiCommand{World: w}}
	cmd := &cobra.Command{
		Use: "create ACTION", Short: "Create a job", Long: jobsCreateHelp,
		Example: `  orderctl jobs create retry --status failed --error-contains "answered 503" --dry-run --wait
  orderctl jobs create retry --status failed --canary 20 --stop-after-failures 50 --wait
  orderctl jobs create cancel --customer ada@example.com --reason "asked on the phone"`,
		Args: cobra.ExactArgs(1), ValidArgs: texts(order.JobActions()),
		PreRunE: c.check,
		RunE:    c.withClient(c.run),
	}
	c.addFlags(cmd)
	c.filter.addFlags(cmd)
	cmd.Flags().StringVar(&c.job.Reason, "reason", "", "why, for the audit and the orders; needed to reject")
	cmd.Flags().IntVar(&c.job.Limit, "limit", 0, "how many orders to change at most (default all)")
	cmd.Flags().IntVar(&c.job.PerSecond, "per-second", 0, "how many orders to change in a second at most (default any number)")
	cmd.Flags().IntVar(&c.job.StopAfterFailures, "stop-after-failures", 0, "stop when so many of them have failed again (default never)")
	cmd.Flags().IntVar(&c.job.Canary, "canary", 0, "change so many first, and go on only if none of them fails again (default none)")
	cmd.Flags().BoolVar(&c.job.DryRun, "dry-run", false, "only count them")
	cmd.Flags().BoolVar(&c.wait, "wait", false, "wait until the job has ended or is paused, and show it")
	return cmd
}

func (c *jobsCreateCommand) check(cmd *cobra.Command, args []string) error {
	c.job.Action = order.JobAction(args[0])
	if !slices.Contains(order.JobActions(), c.job.Action) {
		return usagef("there is no action %q; the actions are %s", order.Printable(args[0]), list(order.JobActions()))
	}
	for name, n := range map[string]int{
		"limit": c.job.Limit, "per-second": c.job.PerSecond, "stop-after-failures": c.job.StopAfterFailures, "canary": c.job.Canary,
	} {
		if cmd.Flags().Changed(name) && n < 1 {
			return usagef("--%s must be at least 1", name)
		}
	}
	if c.job.Action == order.JobReject && c.job.Reason == "" {
		return usagef("--reason is needed to reject orders")
	}
	return c.filter.check(cmd.Flags())
}

func (c *jobsCreateCommand) run(ctx context.Context, api *client.Client, _ []string) error {
	c.job.Filter = jobFilter(c.filter.query())
	id, err := api.CreateJob(ctx, c.job, newID())
	switch {
	case err != nil:
		return fmt.Errorf("create a job: %w", err)
	case c.wait:
		return c.showJob(ctx, api, id, true)
	case c.output == formatJSON:
		text, _ := json.Marshal(map[string]string{"id": id}) //nolint:errchkjson // a map of strings cannot fail
		return c.printJSON(text)
	}
	c.printf("%s\n", order.Printable(id))
	return nil
}

// jobFilter is a query as the JSON of a job has it.
func jobFilter(query map[string][]string) map[string]any {
	filter, metadata := map[string]any{}, map[string]string{}
	for name, values := range query {
		key, isMetadata := strings.CutPrefix(name, "metadata.")
		switch {
		case isMetadata:
			metadata[key] = values[0]
		case strings.HasPrefix(name, "amount_") && json.Valid([]byte(values[0])):
			filter[name] = json.RawMessage(values[0])
		default:
			filter[name] = values[0]
		}
	}
	if len(metadata) > 0 {
		filter["metadata"] = metadata
	}
	return filter
}
