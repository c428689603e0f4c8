package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
)

const jobsHelp = `jobs changes all orders that match: a job counts them first, and then changes one after
the other. It goes on whatever is restarted, and this command need not wait for it.`

const (
	// listedJobs is how many jobs list shows by default.
	listedJobs = 20
	// jobInterval is the time between two looks at a job.
	jobInterval = 500 * time.Millisecond
)

func newJobs(w *World) *cobra.Command {
	cmd := &cobra.Command{
		Use: "jobs", Short: "Change all orders that match, and see how far it is", Long: jobsHelp,
		Example: `  orderctl jobs create retry --status failed --error-contains "answered 503" --dry-run --wait
  orderctl jobs create retry --status failed --error-contains "answered 503" --canary 20 --wait
  orderctl jobs list
  orderctl jobs pause 0193a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newJobsList(w), newJobsGet(w), newJobsCreate(w))
	for change, short := range map[string]string{
		"pause": "Let jobs change no further order until they are resumed", "resume": "Let paused jobs go on", "stop": "End jobs",
	} {
		cmd.AddCommand(newJobChange(w, change, short))
	}
	return cmd
}

func newJobsList(w *World) *cobra.Command {
	c := &apiCommand{World: w}
	limit := listedJobs
	cmd := &cobra.Command{
		Use: "list", Short: "List jobs, newest first", Example: "  orderctl jobs list --limit 100",
		Args: cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error {
			if limit < 1 || limit > order.MaxJobs {
				return usagef("--limit must be from 1 to %d", order.MaxJobs)
			}
			return nil
		},
		RunE: c.withClient(func(ctx context.Context, api *client.Client, _ []string) error {
			return show(c, "jobs", c.printJobs)(api.Jobs(ctx, limit))
		}),
	}
	c.addFlags(cmd)
	cmd.Flags().IntVar(&limit, "limit", listedJobs, "how many jobs to show")
	return cmd
}

func (c *apiCommand) printJobs(all client.Jobs) {
	if len(all.Jobs) == 0 {
		c.printf("There is no job.\n")
		return
	}
	t := newTable(c.Stdout)
	t.row("id", "action", "state", "matched", "done", "skipped", "failed", "by", "created at")
	for _, j := range all.Jobs {
		t.row(order.Printable(j.ID), order.Printable(string(j.Action)), order.Printable(string(j.State)),
			j.Matched, j.Done, j.Skipped, j.Failed, order.Printable(j.Actor), j.CreatedAt.UTC().Format(time.RFC3339))
	}
	t.flush()
}

func newJobsGet(w *World) *cobra.Command {
	c := &apiCommand{World: w}
	wait := false
	cmd := &cobra.Command{
		Use: "get ID", Short: "Show a job", Example: "  orderctl jobs get 0193a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b --wait",
		Args: cobra.MatchAll(cobra.ExactArgs(1), validIDs),
		RunE: c.withClient(func(ctx context.Context, api *client.Client, ids []string) error {
			return c.showJob(ctx, api, ids[0], wait)
		}),
	}
	c.addFlags(cmd)
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until it has ended or is paused")
	return cmd
}

// showJob shows a job, on demand when it has ended or is paused.
func (c *apiCommand) showJob(ctx context.Context, api *client.Client, id string, wait bool) error {
	j, err := api.Job(ctx, id)
	if wait && err == nil {
		j, err = c.awaitJob(ctx, api, j)
	}
	return show(c, "job "+id, c.printJob)(j, err)
}

// awaitJob waits until a job has ended or is paused, and shows how far it is on a terminal.
func (c *apiCommand) awaitJob(ctx context.Context, api *client.Client, j client.Job) (client.Job, error) {
	bar := newProgress(c.Stderr, -1, "counting")
	defer func() { _ = bar.Finish() }()
	counting := true
	for !j.State.Ended() && j.State != order.JobPaused {
		if counting && j.State == order.JobRunning {
			counting = false
			_ = bar.Clear()
			bar = newProgress(c.Stderr, j.Matched, doingOf(j.Action))
		}
		seen := j.Matched
		if !counting {
			seen = j.Done + j.Skipped + j.Failed
		}
		_ = bar.Set64(seen)
		select {
		case <-ctx.Done():
			return j, client.ErrInterrupted
		case <-time.After(jobInterval):
		}
		var err error
		if j, err = api.Job(ctx, j.ID); err != nil {
			return j, err
		}
	}
	return j, nil
}

// doingOf is what a job does, for its progress bar.
func doingOf(a order.JobAction) string {
	doing := map[order.JobAction]string{
		order.JobRetry: "retrying", order.JobCancel: "cancelling", order.JobRelease: "releasing", order.JobReject: "rejecting",
	}[a]
	if doing == "" {
		return "changing"
	}
	return doing
}

func (c *apiCommand) printJob(j client.Job) {
	t := newTable(c.Stdout)
	line := func(name, text string) {
		if text != "" {
			t.row(name, order.Printable(text))
		}
	}
	line("id", j.ID)
	line("action", string(j.Action))
	line("filter", string(j.Filter))
	line("state", string(j.State))
	line("error", j.Error)
	for _, count := range []struct {
		name string
		n    int64
	}{{"matched", j.Matched}, {"done", j.Done}, {"skipped", j.Skipped}, {"failed", j.Failed}} {
		t.row(count.name, count.n)
	}
	line("outcomes", outcomesText(j.Outcomes))
	line("by", j.Actor)
	line("reason", j.Reason)
	line("created at", moment(j.CreatedAt))
	line("ended at", moment(j.EndedAt))
	t.flush()
}

// outcomesText is the outcomes in the order in which the statuses always come.
func outcomesText(outcomes map[order.Status]int64) string {
	var parts []string
	for _, s := range order.Statuses() {
		if n := outcomes[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	return strings.Join(parts, ", ")
}

// newJobChange returns a command that pauses, resumes or stops jobs.
func newJobChange(w *World, change, short string) *cobra.Command {
	c := &apiCommand{World: w}
	done := map[string]string{"pause": "paused", "resume": "resumed", "stop": "stopped"}[change]
	cmd := &cobra.Command{
		Use: change + " ID...", Short: short, Example: "  orderctl jobs " + change + " 0193a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
		Args: cobra.MatchAll(cobra.MinimumNArgs(1), validIDs),
		RunE: c.withClient(func(ctx context.Context, api *client.Client, ids []string) error {
			return c.changeEach("jobs", done, slices.Compact(ids), func(id string) (changed, error) {
				j, err := api.ChangeJob(ctx, id, change)
				return changed{string(j.State), j.JSON}, err
			})
		}),
	}
	c.addFlags(cmd)
	return cmd
}
