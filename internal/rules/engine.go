package rules

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"orderprocessor/internal/order"
)

const (
	// refreshAfter is how long an answer about which versions are in force is used before
	// the next question.
	refreshAfter = time.Second
	// decideFor is how long it is used to decide while that question is asked, or not
	// answered: a version is in force everywhere within two seconds.
	decideFor = 1500 * time.Millisecond
	// routeFor is how long it is used likewise to choose queues. If Redis does not answer,
	// the order cannot be recorded anyway.
	routeFor = math.MaxInt64
	// askTimeout bounds the question, and routeTimeout when an order is being accepted, whose
	// client does not wait long.
	askTimeout, routeTimeout = 2 * time.Second, 500 * time.Millisecond
	// maxCompiled bounds the versions that are kept compiled.
	maxCompiled = 16
)

// Store keeps the rule sets and knows the customers; see the methods of ledger.Ledger.
type Store interface {
	RulesInForce(ctx context.Context) (order.RulesInForce, error)
	RuleSet(ctx context.Context, version string) (order.RuleSet, error)
	CustomerFacts(ctx context.Context, o order.Order, at time.Time, currency order.Currency) (order.CustomerFacts, error)
}

// EngineConfig configures an Engine.
type EngineConfig struct {
	// Limits make the version builtin.
	Limits Limits
	// Currency is that of orders that name none.
	Currency order.Currency
	// Log receives an error for a version that this program cannot compile.
	Log *slog.Logger
}

// Engine decides orders by the versions that are in force. It is safe for concurrent use.
type Engine struct {
	cfg     EngineConfig
	store   Store
	builtin *Set
	now     atomic.Pointer[inForce]
	always  *inForce // set only by Fixed

	asking chan struct{} // has an element while somebody asks the store which versions are in force

	mu       sync.Mutex // guards compiled
	compiled map[string]*Set
}

// inForce is what the store answered last.
type inForce struct {
	active, shadow *Set // shadow is nil without one
	asked          time.Time
}

// NewEngine returns an engine that asks the store when it is first used.
func NewEngine(cfg EngineConfig, s Store) *Engine {
	return &Engine{cfg: cfg, store: s, builtin: Builtin(cfg.Limits), asking: make(chan struct{}, 1), compiled: map[string]*Set{}}
}

// Fixed returns an engine whose active version is always builtin.
func Fixed(limits Limits, currency order.Currency) *Engine {
	e := NewEngine(EngineConfig{Limits: limits, Currency: currency}, nil)
	e.always = &inForce{active: e.builtin}
	return e
}

// Load asks the store which versions are in force, unless that is known. It returns
// order.ErrUnavailable when Redis did not answer; a version that this program cannot compile
// is logged only.
func (e *Engine) Load(ctx context.Context) error {
	_, err := e.inForce(ctx, decideFor)
	if !errors.Is(err, order.ErrUnavailable) {
		err = nil
	}
	return err
}

// Decide returns what the active version decides about an order, and beside it what the
// shadow version decides. It returns order.ErrUnavailable when Redis did not answer.
func (e *Engine) Decide(ctx context.Context, rec order.Record) (order.Decision, error) {
	in, err := e.inForce(ctx, decideFor)
	if err != nil {
		return order.Decision{}, fmt.Errorf("decide order %s: %w", rec.ID, err)
	}
	asks := in.active.AsksCustomer() || in.shadow != nil && in.shadow.AsksCustomer()
	facts, err := e.facts(ctx, rec.Order, rec.CreatedAt, asks)
	if err != nil {
		return order.Decision{}, fmt.Errorf("decide order %s: %w", rec.ID, err)
	}
	d := in.active.Decide(facts)
	if in.shadow != nil {
		shadow := in.shadow.Decide(facts)
		d.Shadow = &shadow
	}
	return d, nil
}

// Queue returns the queue in which the active version lets an order wait that is
// accepted now. When Redis does not answer, it is the queue of the order's priority.
func (e *Engine) Queue(ctx context.Context, o order.Order) order.Queue {
	// Nearly always nothing has to be asked, so that no timer is needed.
	if in := e.fresh(); in != nil && !in.active.QueueAsksCustomer() {
		return in.active.Queue(Facts{Order: o, CreatedAt: time.Now(), Currency: e.cfg.Currency})
	}
	ctx, cancel := context.WithTimeout(ctx, routeTimeout)
	defer cancel()
	in, err := e.inForce(ctx, routeFor)
	if err != nil {
		return o.Priority.Queue()
	}
	facts, err := e.facts(ctx, o, time.Now(), in.active.QueueAsksCustomer())
	if err != nil {
		return o.Priority.Queue()
	}
	return in.active.Queue(facts)
}

// Facts returns what the rules may ask about a recorded order: about its customer as they
// were when it was decided, if its rules asked then, and else as far as the store knows.
func (e *Engine) Facts(ctx context.Context, rec order.Record, asksCustomer bool) (Facts, error) {
	frozen := customerOf(rec.Decision)
	facts, err := e.facts(ctx, rec.Order, rec.CreatedAt, asksCustomer && frozen == nil)
	if err == nil && frozen != nil {
		facts.Customer = *frozen
	}
	return facts, err
}

func customerOf(d *order.Decision) *order.CustomerFacts {
	switch {
	case d == nil:
		return nil
	case d.Customer == nil:
		return customerOf(d.Shadow)
	default:
		return d.Customer
	}
}

func (e *Engine) facts(ctx context.Context, o order.Order, at time.Time, asksCustomer bool) (f Facts, err error) {
	f = Facts{Order: o, CreatedAt: at, Currency: e.cfg.Currency}
	if asksCustomer {
		f.Customer, err = e.store.CustomerFacts(ctx, o, at, e.cfg.Currency)
	}
	return f, err
}

// Version returns a version of the rules. It returns order.ErrNoRules, and
// order.ErrUnavailable when Redis did not answer.
func (e *Engine) Version(ctx context.Context, version string) (*Set, error) {
	if version == order.VersionBuiltin {
		return e.builtin, nil
	}
	e.mu.Lock()
	known := e.compiled[version]
	e.mu.Unlock()
	if known != nil {
		return known, nil
	}
	stored, err := e.store.RuleSet(ctx, version)
	if err != nil {
		return nil, err
	}
	set, err := Parse(stored.Source)
	if err != nil {
		return nil, fmt.Errorf("compile rules %s: %w", version, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.compiled) >= maxCompiled {
		clear(e.compiled)
	}
	e.compiled[version] = set
	return set, nil
}

// inForce returns the versions in force. One caller at a time asks the store; the others,
// and callers whom it does not answer, use its last answer for as long as useFor says.
func (e *Engine) inForce(ctx context.Context, useFor time.Duration) (*inForce, error) {
	if in := e.fresh(); in != nil {
		return in, nil
	}
	begun, now := time.Now(), e.now.Load()
	usable := now.usable(useFor)
	switch {
	case e.mayAsk(ctx, usable):
		defer func() { <-e.asking }()
	case usable:
		return now, nil
	default:
		return nil, fmt.Errorf("read which rules are in force: %w: %w", order.ErrUnavailable, context.Cause(ctx))
	}
	// An answer to a question of the meantime is as new as one's own would be.
	if now = e.now.Load(); now.usable(refreshAfter) || now != nil && !now.asked.Before(begun) {
		return now, nil
	}
	fresh, err := e.ask(ctx)
	switch {
	case err == nil:
		e.now.Store(fresh)
		return fresh, nil
	case now.usable(useFor):
		return now, nil
	default:
		return nil, err
	}
}

// fresh returns the versions in force, or nil if the store must be asked first.
func (e *Engine) fresh() *inForce {
	if e.always != nil {
		return e.always
	}
	if now := e.now.Load(); now.usable(refreshAfter) {
		return now
	}
	return nil
}

// mayAsk waits for the turn to ask the store, or takes it only if nobody asks. It reports
// whether it is the caller's.
func (e *Engine) mayAsk(ctx context.Context, onlyNow bool) bool {
	select {
	case e.asking <- struct{}{}:
		return true
	default:
	}
	if onlyNow {
		return false
	}
	select {
	case e.asking <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (now *inForce) usable(d time.Duration) bool { return now != nil && time.Since(now.asked) < d }

// ask asks the store which versions are in force. A shadow that does not compile decides
// nothing.
func (e *Engine) ask(ctx context.Context) (*inForce, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	fresh := &inForce{asked: time.Now()}
	names, err := e.store.RulesInForce(ctx)
	if err != nil {
		return nil, err
	}
	if fresh.active, err = e.Version(ctx, names.Active); err != nil {
		return nil, e.logged(ctx, names.Active, err)
	}
	if names.Shadow == "" || names.Shadow == names.Active {
		return fresh, nil
	}
	if fresh.shadow, err = e.Version(ctx, names.Shadow); errors.Is(err, order.ErrUnavailable) {
		return nil, err
	}
	_ = e.logged(ctx, names.Shadow, err)
	return fresh, nil
}

// logged logs an error that only another program, or another version, can end.
func (e *Engine) logged(ctx context.Context, version string, err error) error {
	if err != nil && !errors.Is(err, order.ErrUnavailable) {
		e.cfg.Log.ErrorContext(ctx, "rules cannot be used", "version", version, "error", err)
	}
	return err
}
