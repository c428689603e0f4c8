package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
	"orderprocessor/internal/load"
	"orderprocessor/internal/order"
	"orderprocessor/internal/prove"
)

const proveHelp = `prove puts the guarantees of an installation to the test, and shows for each whether
it held, and on what that rests. It is meant for a staging installation.

For the time of --for its clients submit orders, with the same and with other content,
read, cancel and retry them, and two subscribers read the events of all orders; one of
them connects again and again. Then it waits, at most --grace, for the outcomes, reads
every order, its timeline, the list and the statistics, and looks for an explanation of
every answer. Kill programs or Redis meanwhile if you like: a call without an answer may
have taken effect or not.

The orders are real ones: they are worked, kept, and handed to the shop's endpoint if
the workers have one. Their ids begin with prove-, and no two runs share any. One in
eight has no id but an Idempotency-Key that begins so, and is submitted and read only.
Amounts are below 100.00, but two in eight are of 10,500.00, which the builtin rules
reject. It calls for no other order, and keeps the events of no other.

A key needs the scopes submit, read and admin; without admin, retries are not shown.
ORDERS_RETENTION must be longer than the run, unless there is an archive.

On a terminal it asks first. Ctrl-C ends it with what was seen so far. The exit status is
0 if nothing is broken and something was shown.`

const (
	minProveTime  = time.Second
	maxProveTime  = time.Hour
	maxProveOrder = 10_000
	// maxProveClients bounds the clients. Each makes one call at a time.
	maxProveClients = 256
	// shownProblems and shownCalls bound what the table has of problems and of the calls
	// of one; JSON has all.
	shownProblems, shownCalls = 3, 12
)

var errNotProved = errors.New("nothing was sent")

type proveCommand struct {
	apiCommand
	plan prove.Plan
	yes  bool
}

func newProve(w *World) *cobra.Command {
	p := &proveCommand{apiCommand: apiCommand{World: w}}
	cmd := &cobra.Command{
		Use:   "prove",
		Short: "Put the guarantees of a staging installation to the test",
		Long:  proveHelp,
		Example: `  orderctl prove --api https://staging.example.com --key-file key
  orderctl prove --for 10m --orders 2000 --clients 32 --yes
  orderctl prove --output json | jq '.guarantees[] | select(.verdict == "broken") | .problems'`,
		Args:    cobra.NoArgs,
		PreRunE: p.check,
		RunE:    func(cmd *cobra.Command, _ []string) error { return p.run(cmd.Context()) },
	}
	p.addFlags(cmd)
	cmd.Flags().DurationVar(&p.plan.For, "for", time.Minute, "for how long calls are made")
	cmd.Flags().DurationVar(&p.plan.Grace, "grace", 2*time.Minute, "how long orders then have to reach their outcomes")
	cmd.Flags().IntVar(&p.plan.Orders, "orders", 200, "how many orders are submitted")
	cmd.Flags().IntVar(&p.plan.Clients, "clients", 8, "how many clients call at the same time")
	cmd.Flags().BoolVar(&p.yes, "yes", false, "do not ask")
	return cmd
}

func (p *proveCommand) check(*cobra.Command, []string) error {
	for _, err := range []error{
		checkRange("for", p.plan.For, minProveTime, maxProveTime),
		checkRange("grace", p.plan.Grace, minProveTime, maxProveTime),
		checkRange("orders", p.plan.Orders, 1, maxProveOrder),
		checkRange("clients", p.plan.Clients, 1, maxProveClients),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *proveCommand) run(ctx context.Context) error {
	api, err := p.api.openWith(client.Options{Timeout: prove.CallTimeout, Once: true, Hint: proveHint})
	if err != nil {
		return err
	}
	defer api.Close()
	p.plan.API, p.plan.Run = api, load.NewRun()
	if err := p.announce(ctx); err != nil {
		return err
	}
	bar := newProgress(p.Stderr, int64(p.plan.Calls()), "calling")
	p.plan.OnCall = func() { _ = bar.Add(1) }
	report, err := prove.Run(ctx, p.plan)
	_ = bar.Finish()
	if err != nil {
		return fmt.Errorf("prove: %w", err)
	}
	if p.output == formatJSON {
		err = p.printJSON(report)
	} else {
		p.print(report)
	}
	switch {
	case report.Count(prove.Broken) > 0:
		return fmt.Errorf("guarantees are broken: %d", report.Count(prove.Broken))
	case report.Interrupted:
		return client.ErrInterrupted
	case report.Count(prove.Held) == 0:
		return errors.New("no guarantee was shown")
	}
	return err
}

// proveHint has no advice for a scope that is missing, which several verdicts quote.
func proveHint(e *client.ResponseError) string {
	if e.Status == http.StatusForbidden {
		return ""
	}
	return hint(e)
}

// announce says what will be sent, and asks on a terminal.
func (p *proveCommand) announce(ctx context.Context) error {
	p.warnf("up to %s named %s… will be submitted to %s: they are real, are worked, kept, and handed to its shop",
		countOrders(p.plan.Orders), p.plan.Prefix(), order.Printable(p.plan.API.Address()))
	if p.yes || !p.asks() {
		return nil
	}
	_, _ = fmt.Fprint(p.Stderr, "Go on? [y/N] ")
	return p.agreed(ctx, errNotProved)
}

func (p *proveCommand) print(r *prove.Report) {
	t := newTable(p.Stdout)
	for _, g := range r.Guarantees {
		t.row(g.Verdict, g.Promise, order.Printable(g.Evidence))
	}
	t.flush()
	p.printf("\n%d calls for %s in %.0f s, %d refused, %d with an unknown effect; %d events.\n",
		r.Calls, countOrders(r.Orders), r.Seconds, r.Refused, r.Unknown, r.Events)
	for _, g := range r.Guarantees {
		p.printProblems(g, r.Began)
	}
}

// printProblems writes the first problems of a guarantee, with their last calls.
func (p *proveCommand) printProblems(g prove.Guarantee, began time.Time) {
	if len(g.Problems) == 0 {
		return
	}
	p.printf("\nBroken: %s. Calls are in seconds after %s:\n", g.Promise, moment(began))
	for _, problem := range g.Problems[:min(len(g.Problems), shownProblems)] {
		p.printf("\n  %s\n", order.Printable(strings.TrimPrefix(problem.Order+": "+problem.What, ": ")))
		for _, call := range problem.Calls[max(0, len(problem.Calls)-shownCalls):] {
			p.printf("    %s\n", order.Printable(call))
		}
	}
	if more := len(g.Problems) - shownProblems; more > 0 {
		p.printf("\n  %d more are in --output json.\n", more)
	}
}
