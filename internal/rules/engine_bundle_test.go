package rules_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/rules"
)

// store is a rules.Store that can be slow, fail or be silent. Each of its versions is a
// document.
type store struct {
	mu       sync.Mutex
	in       order.RulesInForce
	versions map[string]string
	delay    time.Duration
	err      error
	silent   bool // until the caller gives up

	customer      order.CustomerFacts
	customerDelay time.Duration

	questions, asking, most int // about which versions are in force
	customers               int
}

func (s *store) set(change func(*store)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

// RulesInForce answers what was in force when it was asked.
func (s *store) RulesInForce(ctx context.Context) (order.RulesInForce, error) {
	s.mu.Lock()
	in, err, delay := s.in, s.err, s.delay
	if s.silent {
		delay = time.Hour
	}
	s.questions++
	s.asking++
	s.most = max(s.most, s.asking)
	s.mu.Unlock()
	defer s.set(func(s *store) { s.asking-- })
	select {
	case <-time.After(delay):
		return in, err
	case <-ctx.Done():
		return in, fmt.Errorf("%w: %w", order.ErrUnavailable, ctx.Err())
	}
}

func (s *store) RuleSet(_ context.Context, version string) (order.RuleSet, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, ok := s.versions[version]
	if !ok {
		return order.RuleSet{}, fmt.Errorf("read rules %s: %w", version, order.ErrNoRules)
	}
	return order.RuleSet{Version: version, Source: []byte(text)}, s.err
}

func (s *store) CustomerFacts(ctx context.Context, _ order.Order, _ time.Time, _ order.Currency) (order.CustomerFacts, error) {
	s.mu.Lock()
	customer, err, delay := s.customer, s.err, s.customerDelay
	s.customers++
	s.mu.Unlock()
	if delay == 0 {
		return customer, err
	}
	select {
	case <-time.After(delay):
		return customer, err
	case <-ctx.Done():
		return customer, fmt.Errorf("%w: %w", order.ErrUnavailable, ctx.Err())
	}
}

// Documents: of one rule that gives every order a handling, and lets it wait in a queue; of
// one that asks about the customer; and of nothing that this program understands.
const (
	expedites  = `{"rules": [{"name": "all", "when": "true", "handling": "expedited", "queue": "critical"}]}`
	prefers    = `{"rules": [{"name": "all", "when": "true", "handling": "priority", "queue": "low"}]}`
	asksOrders = `{"rules": [{"name": "many", "when": "customer.orders_24h > 10", "reject": "too many"}]}`
	ofFuture   = `{"rules": [{"name": "all", "when": "order.colour == 'red'", "handling": "priority"}]}`
)

// newEngine returns an engine on a store with these documents: the first is in force, and
// the second the shadow, if they are named so. What it logs is in the buffer.
func newEngine(active, shadow string) (*rules.Engine, *store, *bytes.Buffer) {
	s := &store{in: order.RulesInForce{Active: active, Shadow: shadow}, versions: map[string]string{
		"expedites": expedites, "prefers": prefers, "asks": asksOrders, "future": ofFuture,
	}}
	var log bytes.Buffer
	return rules.NewEngine(rules.EngineConfig{
		Limits: shop, Currency: order.DefaultCurrency, Log: slog.New(slog.NewTextHandler(&log, nil)),
	}, s), s, &log
}

// recordOf returns the record of a new order.
func recordOf(t *testing.T, opts ...ordertest.Option) order.Record {
	t.Helper()
	return order.Record{Order: ordertest.Order(t, opts...), CreatedAt: time.Now()}
}
