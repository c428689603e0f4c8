package cli

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

const loadHelp = `load sends orders at a constant rate and shows how the system bears it.

The orders are real ones of some 300 bytes each: they are worked, kept, and handed
to the shop's endpoint if the workers have one. Their ids begin with load-, no two
runs share any, and their amounts are below 100.00, so that they wait in the queues
that --mix names.

Requests go out when they are due, whether or not earlier ones were answered, and
latency counts from then. A request that finds all --connections busy waits for
one, and this counts as well. Nothing is sent again: what is refused is counted by
its kind. When this machine, the network or the API is too slow for the rate, the
result says so.

With --batch, requests to POST /orders/batch carry so many orders each; --rate
counts orders all the same. An API works on a few batches at a time and refuses
more.

The statistics from before and after tell what became of the orders, and whether
the workers kept up; they count everybody's orders. A key needs the scopes submit
and read.

Ctrl-C stops it and shows the result so far. The exit status is 0 if all orders
were accepted.`

// load sends a load to the API.
type load struct {
	*World
	api    target
	output format
	plan   loadPlan
}

func newLoad(w *World) *cobra.Command {
	l := &load{World: w, plan: loadPlan{mix: defaultMix()}}
	cmd := &cobra.Command{
		Use:   "load --rate N",
		Short: "Send orders at a constant rate and show how the system bears it",
		Long:  loadHelp,
		Example: `  orderctl load --rate 500
  orderctl load --rate 500 --duration 5m --mix critical=1,default=8,low=1
  orderctl load --rate 5000 --batch 100 --connections 4
  orderctl load --rate 500 --output json | jq .latency_ms.p99`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return l.run(cmd.Context()) },
	}
	addAPIFlags(cmd, w, &l.api)
	addOutputFlag(cmd, &l.output)
	l.plan.addFlags(cmd)
	return cmd
}

func (l *load) run(ctx context.Context) error {
	if err := l.plan.check(); err != nil {
		return err
	}
	client, err := l.api.open(1)
	if err != nil {
		return err
	}
	defer client.Close()
	before, err := look(ctx, client)
	if err != nil {
		return err
	}
	done := l.attack(ctx, client)
	report := newLoadReport(l.plan, done)
	report.Interrupted = ctx.Err() != nil
	report.compare(ctx, client, before)
	shown := l.show(report)
	return cmp.Or(report.verdict(), shown)
}

func (l *load) show(r *loadReport) error {
	if l.output == formatJSON {
		return l.printAsJSON(r)
	}
	r.print(l.World)
	return nil
}

// verdict is what the command ends with: whether all orders were taken, or else
// why the statistics are not known.
func (r *loadReport) verdict() error {
	switch {
	case r.Interrupted:
		return errInterrupted
	case r.Accepted < r.Sent:
		return fmt.Errorf("%d of %d orders were not taken", r.Sent-r.Accepted, r.Sent)
	default:
		return r.noStats
	}
}
