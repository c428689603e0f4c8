package sim_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"strings"
	"time"

	"orderprocessor/internal/intake"
	"orderprocessor/internal/ledger"
	"orderprocessor/internal/order"
	"orderprocessor/internal/recovery"
	"orderprocessor/internal/worker"
)

const (
	// attemptTimeout bounds an attempt.
	attemptTimeout = 4 * time.Second
	// The patience with Redis, queue and shop, and of clients. They are odd, so that no wait
	// ends at the very moment of a tick of recovery: the scheduler would decide which comes first.
	workerPatience, apiPatience, clientPatience = 3_017_113 * time.Microsecond, 1_211_309 * time.Microsecond, 2_513_717 * time.Microsecond
	// retention is longer than a simulation.
	retention = time.Hour
)

// process is a worker, an API or a client. It can be killed, and for a while
// frozen or cut off.
type process struct {
	sim      *sim
	name     string
	ctx      context.Context
	kill     context.CancelFunc
	thaw     time.Time      // until when it is frozen
	rejoin   time.Time      // until when it is cut off from Redis
	patience time.Duration  // how long it waits for an answer
	restart  func()         // nil for what cannot be killed
	intake   *intake.Intake // of an API
}

func (s *sim) newProcess(name string, life int, patience time.Duration) *process {
	if life > 1 {
		name += fmt.Sprintf(".%d", life)
	}
	p := &process{sim: s, name: name, patience: patience}
	p.ctx, p.kill = context.WithCancel(s.ctx)
	return p
}

// runs reports whether the process is neither dead nor frozen.
func (p *process) runs() bool { return p.ctx.Err() == nil && !p.thaw.After(time.Now()) }

// cutOff reports whether the process cannot reach Redis.
func (p *process) cutOff() bool { return p.rejoin.After(time.Now()) }

// rest waits, or until ctx ends.
func rest(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

type senderKey struct{}

// as returns a context whose requests are those of a named part of a process.
func as(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, senderKey{}, name)
}

// sender names who sends a request. A batch of several callers is sent by the process. The
// loops of recovery share a context, and are told apart by their stack.
func sender(ctx context.Context, p *process) string {
	name, _ := ctx.Value(senderKey{}).(string)
	if name == "" {
		return p.name
	}
	if !strings.HasSuffix(name, "/recovery") {
		return name
	}
	var stack [32]uintptr
	frames := runtime.CallersFrames(stack[:runtime.Callers(2, stack[:])])
	for {
		frame, more := frames.Next()
		if _, loop, found := strings.Cut(frame.Function, "(*Repairer).Run.func"); found {
			return name + "." + loop[:1]
		}
		if !more {
			return name
		}
	}
}

// startAPI starts an API process.
func (s *sim) startAPI(n, life int) {
	p := s.newProcess(fmt.Sprintf("a%d", n+1), life, apiPatience)
	p.restart = func() { s.startAPI(n, life+1) }
	var l intake.Ledger = ledger.New(s.dial(p))
	if s.defect.intake != nil {
		l = s.defect.intake(s, l)
	}
	p.intake = intake.New(l, producer{p}, rules{}, intake.NewAdmission(nil, nil, math.MaxInt32), slog.New(slog.DiscardHandler))
	s.apis[n] = p
}

// startWorker starts a worker process with its slots and its recovery.
func (s *sim) startWorker(n, life int) {
	p := s.newProcess(fmt.Sprintf("w%d", n+1), life, workerPatience)
	p.restart = func() { s.startWorker(n, life+1) }
	l := ledger.New(s.dial(p))
	turns := turns{p, l.Books()[0]}
	var attempts worker.Attempts = turns
	if s.defect.attempts != nil {
		attempts = s.defect.attempts(s, attempts)
	}
	w := worker.New(worker.Config{
		Name: p.name, Rules: rules{}, MaxAttempts: s.maxAttempts, RetryFor: s.retryFor,
		AttemptTimeout: attemptTimeout, Backoff: backoff{}, Log: slog.New(slog.DiscardHandler),
	}, turns, attempts, caller{p})
	for slot := range s.slots {
		s.running.Go(func() { s.deliver(as(p.ctx, fmt.Sprintf("%s/%d", p.name, slot)), p, w) })
	}
	var known recovery.Tasks = tasks{p}
	if s.defect.tasks != nil {
		known = s.defect.tasks(known)
	}
	var q recovery.Queue = producer{p}
	if s.defect.queue != nil {
		q = s.defect.queue(q)
	}
	cfg := recovery.Config{Name: p.name, Retention: retention, Log: slog.New(slog.DiscardHandler)}
	repairer := recovery.New(cfg, turns, q, known)
	s.running.Go(func() { _ = repairer.Run(as(p.ctx, p.name+"/recovery")) })
}

// turns is the ledger of a process whose goroutines share batches. Each of them waits for its
// turn before it enters a batch, so that the bus decides who shares one.
type turns struct {
	p *process
	*ledger.Book
}

func (t turns) wait(ctx context.Context, what, id string) {
	_ = t.p.sim.send(ctx, &message{sender: sender(ctx, t.p), what: what + " " + id, from: t.p, kind: turn})
}

func (t turns) Get(ctx context.Context, id string) (order.Record, error) {
	t.wait(ctx, "get", id)
	return t.Book.Get(ctx, id)
}

func (t turns) Begin(ctx context.Context, c order.Claim) (order.Begun, error) {
	t.wait(ctx, "begin", c.ID)
	return t.Book.Begin(ctx, c)
}

func (t turns) Fail(ctx context.Context, c order.Claim, f order.Failure) error {
	t.wait(ctx, "fail", c.ID)
	return t.Book.Fail(ctx, c, f)
}

func (t turns) Settle(ctx context.Context, c order.Claim, out order.Outcome) error {
	t.wait(ctx, "settle "+string(out.Status), c.ID)
	return t.Book.Settle(ctx, c, out)
}

func (t turns) Hold(ctx context.Context, id string, d order.Decision) error {
	t.wait(ctx, "hold", id)
	return t.Book.Hold(ctx, id, d)
}

func (t turns) Lost(ctx context.Context, id string, lost order.LostAttempt) (order.Loss, error) {
	t.wait(ctx, "lost", id)
	return t.Book.Lost(ctx, id, lost)
}

func (t turns) Release(ctx context.Context, id string, by order.Intervention) (order.Record, error) {
	t.wait(ctx, "release", id)
	return t.Book.Release(ctx, id, by)
}

func (t turns) Reject(ctx context.Context, id string, by order.Intervention) (order.Record, error) {
	t.wait(ctx, "reject", id)
	return t.Book.Reject(ctx, id, by)
}

func (t turns) Requeued(ctx context.Context, id, token string) (bool, error) {
	t.wait(ctx, "requeued", id)
	return t.Book.Requeued(ctx, id, token)
}

// backoff is a wait that doubles, without a random part.
type backoff struct{}

func (backoff) Delay(n int) time.Duration {
	return min(maxBackoff, 200*time.Millisecond<<min(n, 10))
}

// rules decide by the notes of an order.
type rules struct{}

func (rules) Queue(_ context.Context, o order.Order) order.Queue { return o.Priority.Queue() }

func (rules) Decide(_ context.Context, rec order.Record) (order.Decision, error) {
	d := order.Decision{Version: "sim", Action: order.ActionApprove, Handling: order.HandlingStandard}
	switch rec.Notes {
	case noteRejected:
		d = order.Decision{Version: "sim", Action: order.ActionReject, Rule: "r", Reason: "not for us"}
	case noteHeld, noteReleased:
		d.Action, d.Rule, d.Reason = order.ActionHold, "h", "look at it"
		d.Hold = order.HoldTerm{Expires: 9 * time.Second, Release: rec.Notes == noteReleased}
	}
	return d, nil
}
