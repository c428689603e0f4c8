package cli

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"time"

	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
	"orderprocessor/internal/load"
	"orderprocessor/internal/order"
)

const loadHelp = `load sends orders at a constant rate and shows how the system copes.

The orders are real ones of about 350 bytes each: they are worked, kept, and handed to
the shop's endpoint if the workers have one. Their ids begin with load-, no two runs
share any, and their amounts are below 100.00, so that they wait in the queues that
--mix names.

Requests go out when they are due, whether or not earlier ones were answered, and
latency counts from then. A request that finds all --connections busy waits for one,
and that wait counts as well. Nothing is sent again: refusals are counted by their
kind. When this machine, the network or the API is too slow for the rate, the result
shows it.

With --batch, each request to POST /orders/batch carries so many orders; --rate still
counts orders. An API works on a few batches at a time and refuses more.

The statistics from before and after show what became of the orders, and whether the
workers kept up; they count everybody's orders. A key needs the scopes submit and read.

Ctrl-C stops it and shows the result so far. The exit status is 0 if all orders were
accepted.`

const (
	// maxLoadRate bounds the orders per second: more than one Redis accepts.
	maxLoadRate = 100_000
	// In less than a second there is no rate to measure.
	minLoadDuration = time.Second
	maxLoadDuration = 24 * time.Hour
	// maxLoadBatch bounds the orders of one request: what the API accepts.
	maxLoadBatch = 10_000
	// keptUpWithin is how much of the load may wait at its end if the workers kept
	// up: what arrives in half a second, as some orders are always under way.
	keptUpWithin = 500 * time.Millisecond
)

// loadCommand sends a load to the API.
type loadCommand struct {
	apiCommand
	plan load.Plan
	mix  load.Mix
}

func newLoad(w *World) *cobra.Command {
	l := &loadCommand{
		apiCommand: apiCommand{World: w},
		mix:        load.Mix{order.QueueCritical: 1, order.QueueDefault: 8, order.QueueLow: 1},
	}
	cmd := &cobra.Command{
		Use:   "load --rate N",
		Short: "Send orders at a constant rate and show how the system copes",
		Long:  loadHelp,
		Example: `  orderctl load --rate 500
  orderctl load --rate 500 --duration 5m --mix critical=1,default=8,low=1
  orderctl load --rate 5000 --batch 100 --connections 4
  orderctl load --rate 500 --output json | jq .latency_ms.p99`,
		Args:    cobra.NoArgs,
		PreRunE: l.check,
		RunE:    l.withClient(l.run),
	}
	l.addFlags(cmd)
	cmd.Flags().IntVar(&l.plan.Rate, "rate", 0, "how many orders a second are sent; required")
	cmd.Flags().DurationVar(&l.plan.Duration, "duration", 30*time.Second, "for how long")
	cmd.Flags().Var(l.mix, "mix", "shares of the queues")
	cmd.Flags().IntVar(&l.plan.Batch, "batch", 0, "how many orders a request carries; 0 sends them one by one")
	cmd.Flags().IntVar(&l.plan.Connections, "connections", 64, "how many connections are open at most")
	return cmd
}

func (l *loadCommand) check(*cobra.Command, []string) error {
	p := l.plan
	err := cmp.Or(
		checkRange("rate", p.Rate, 1, maxLoadRate),
		checkRange("duration", p.Duration, minLoadDuration, maxLoadDuration),
		checkRange("batch", p.Batch, 0, maxLoadBatch),
		checkRange("connections", p.Connections, 1, maxConcurrency),
	)
	if err == nil && p.Requests() == 0 {
		err = usagef("--batch is more than the %v of --duration bring at this --rate", p.Duration)
	}
	return err
}

func (l *loadCommand) run(ctx context.Context, api *client.Client, _ []string) error {
	before, err := takeSnapshot(ctx, api)
	if err != nil {
		return err
	}
	bar := newProgress(l.Stderr, l.plan.Requests()*int64(max(1, l.plan.Batch)), "sending")
	l.plan.URL, l.plan.Key = api.Base().String(), api.Key()
	l.plan.Orders = load.NewOrders(l.mix)
	l.plan.Orders.Run = load.NewRun()
	l.plan.OnAnswer = func(orders int) { _ = bar.Add(orders) }
	report := &loadReport{
		Run: l.plan.Orders.Run, Rate: l.plan.Rate, DurationSeconds: l.plan.Duration.Seconds(), Mix: l.mix,
		Batch: l.plan.Batch, Connections: l.plan.Connections, Result: *load.Constant(ctx, l.plan),
	}
	_ = bar.Finish()
	report.Interrupted = ctx.Err() != nil
	report.compare(ctx, api, before)
	var shown error
	if l.output == formatJSON {
		shown = l.printJSON(report)
	} else {
		report.print(l.World)
	}
	return cmp.Or(report.err(), shown)
}

// snapshot is the statistics at one time.
type snapshot struct {
	at    time.Time
	stats client.Stats
}

func takeSnapshot(ctx context.Context, api *client.Client) (snapshot, error) {
	stats, err := getStats(ctx, api)
	return snapshot{at: time.Now(), stats: stats}, err
}

// backlog is how many orders wait for a worker, or for another attempt.
func (s snapshot) backlog() int64 {
	return s.stats.ByStatus[order.StatusPending] + s.stats.ByStatus[order.StatusRetrying]
}

// loadReport is the result of a load.
type loadReport struct {
	Run             string   `json:"run"` // ids begin with load- and this
	Rate            int      `json:"rate"`
	DurationSeconds float64  `json:"duration_seconds"`
	Mix             load.Mix `json:"mix"`
	Batch           int      `json:"batch"`
	Connections     int      `json:"connections"`
	Interrupted     bool     `json:"interrupted"`
	load.Result
	System *systemReport `json:"system"` // null without statistics

	statsErr error // why System is missing
}

// systemReport is what the whole system did during a load.
type systemReport struct {
	Seconds          float64 `json:"seconds"`
	Accepted         int64   `json:"accepted"`
	Settled          int64   `json:"settled"`
	SettledPerSecond float64 `json:"settled_per_second"`
	BacklogBefore    int64   `json:"backlog_before"`
	BacklogAfter     int64   `json:"backlog_after"`
	// GrowthPerSecond is below 0 where the backlog shrank.
	GrowthPerSecond float64 `json:"backlog_growth_per_second"`
	// KeptUp is set if no more of the load waited than keptUpWithin allows.
	KeptUp bool `json:"kept_up"`
	// RecentMS also covers the time before a load that is shorter.
	RecentMS client.Latency `json:"latency_ms_of_last_five_minutes"`
}

// compare adds what the system did since then. It asks for the statistics even if
// the load was interrupted.
func (r *loadReport) compare(ctx context.Context, api *client.Client, before snapshot) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), load.Grace)
	defer cancel()
	after, err := takeSnapshot(ctx, api)
	if err != nil {
		r.statsErr = err
		return
	}
	seconds := after.at.Sub(before.at).Seconds()
	perSecond := func(orders int64) float64 { return hundredths(float64(orders) / seconds) }
	s := &systemReport{
		Seconds:       hundredths(seconds),
		Accepted:      after.stats.Ledger.Accepted - before.stats.Ledger.Accepted,
		Settled:       after.stats.Settled() - before.stats.Settled(),
		BacklogBefore: before.backlog(), BacklogAfter: after.backlog(),
		RecentMS: after.stats.LatencyMS,
	}
	growth := s.BacklogAfter - s.BacklogBefore
	s.SettledPerSecond, s.GrowthPerSecond = perSecond(s.Settled), perSecond(growth)
	s.KeptUp = float64(growth) <= perSecond(s.Accepted)*keptUpWithin.Seconds()
	r.System = s
}

func hundredths(x float64) float64 { return math.Round(x*100) / 100 }

// err is the error of the command: orders that were not accepted, or else why there
// are no statistics.
func (r *loadReport) err() error {
	switch {
	case r.Interrupted:
		return client.ErrInterrupted
	case r.Accepted < r.Sent:
		return fmt.Errorf("%d of %d orders were not accepted", r.Sent-r.Accepted, r.Sent)
	default:
		return r.statsErr
	}
}

func (r *loadReport) print(w *World) {
	form := "one by one"
	if r.Batch > 1 {
		form = fmt.Sprintf("in batches of %d", r.Batch)
	}
	t := newTable(w.Stdout)
	t.row("   asked", fmt.Sprintf("%d orders per second for %v, %s, %v",
		r.Rate, time.Duration(r.DurationSeconds*float64(time.Second)), form, r.Mix))
	t.row("   sent", fmt.Sprintf("%d orders, %.1f per second", r.Sent, r.SentPerSecond))
	t.row("   accepted", r.Accepted)
	for _, refusal := range r.Refused {
		reason := refusal.Reason
		if refusal.Status != 0 {
			reason = fmt.Sprintf("%d %s", refusal.Status, reason)
		}
		t.row("   refused", fmt.Sprintf("%d with %s", refusal.Orders, reason))
	}
	if len(r.Refused) == 0 {
		t.row("   refused", 0)
	}
	unanswered := "0"
	if r.NoAnswer > 0 {
		unanswered = fmt.Sprintf("%d, the first for: %s", r.NoAnswer, r.NoAnswerReason)
	}
	t.row("   no answer", unanswered)
	t.flush()
	w.printf("\n")
	r.printLatency(w)
	if r.System != nil {
		r.System.print(w)
	}
	w.printf("\n")
	r.printVerdicts(w)
}

func (r *loadReport) printLatency(w *World) {
	t := newTable(w.Stdout)
	t.row("latency of the answers in ms", "p50", "p90", "p95", "p99", "max")
	cells := []any{"since the request was due"}
	l := r.LatencyMS
	for _, ms := range []float64{l.P50, l.P90, l.P95, l.P99, l.Max} {
		cells = append(cells, fmt.Sprintf("%.1f", ms))
	}
	t.row(cells...)
	t.flushFigures()
}

func (s *systemReport) print(w *World) {
	w.printf("\nThe whole system meanwhile, in %.1f s:\n\n", s.Seconds)
	t := newTable(w.Stdout)
	t.row("   settled", fmt.Sprintf("%d orders, %.1f per second", s.Settled, s.SettledPerSecond))
	t.row("   backlog", fmt.Sprintf("%d orders before, %d after: %+.1f per second", s.BacklogBefore, s.BacklogAfter, s.GrowthPerSecond))
	t.flush()
	w.printf("\nAll orders decided in the last five minutes:\n\n")
	printLatency(w.Stdout, s.RecentMS)
}

func (r *loadReport) printVerdicts(w *World) {
	switch {
	case r.Interrupted:
		w.printf("The load was interrupted.\n")
	case r.RateKept:
		w.printf("The rate was kept.\n")
	default:
		w.printf("The rate was NOT kept, %.1f of %d orders per second were sent: this machine, the network or the API is too slow.\n",
			r.SentPerSecond, r.Rate)
	}
	switch {
	case r.System == nil:
		w.printf("Whether the workers kept up is not known: %v\n", r.statsErr)
	case r.System.KeptUp:
		w.printf("The workers kept up.\n")
	default:
		w.printf("The workers did not keep up: with every second %.1f more orders waited.\n", r.System.GrowthPerSecond)
	}
}
