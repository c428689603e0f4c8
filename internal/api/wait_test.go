package api_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/live"
	"orderprocessor/internal/order"

	"orderprocessor/internal/programtest"
)

const waited = `{"id":"` + orderID + `","amount":1,"items":["tea"],"customer":"ada","address":"1 Road"}`

// submitWaiting sends the order with these preferences, and settles it as soon as it
// is accepted.
func (b *bundle) submitWaiting(t *testing.T, preferences string) answer {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		programtest.Until(t, "the order is accepted", func() bool {
			_, err := b.ledger.Get(t.Context(), orderID)
			return err == nil
		})
		b.begin(t, "a", order.HandlingStandard)
		b.settle(t, "a", order.Outcome{Status: order.StatusCompleted})
	}()
	got := b.ask(t, http.MethodPost, "/orders", waited, "Prefer", preferences)
	<-done
	return got
}

func TestPreferWait(t *testing.T) {
	for _, row := range []struct{ name, preferences, applied string }{
		{"as the RFC has it", "wait=10", "wait=10"},
		{"among others", `respond-async, WAIT = "10"; foo="bar"`, "wait=10"},
		{"longer than it may be", "wait=100000", "wait=30"},
		{"longer than can be counted", "wait=99999999999999999999", "wait=30"},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			got := b.submitWaiting(t, row.preferences)
			if o := got.object(t, 201); o["status"] != "completed" || o["success"] != true {
				t.Errorf("the order is %v", o)
			}
			if applied := got.header.Get("Preference-Applied"); applied != row.applied {
				t.Errorf("Preference-Applied is %q", applied)
			}
			again := b.ask(t, http.MethodPost, "/orders", waited, "Prefer", row.preferences)
			if o := again.object(t, 200); o["status"] != "completed" || again.header.Get("Idempotency-Replayed") != "true" {
				t.Errorf("sent again it is %v", o)
			}
		})
	}
}

// TestPreferNothing holds that what is no wait, or cannot be understood, is as if it
// were not there.
func TestPreferNothing(t *testing.T) {
	b := open(t)
	for _, preferences := range []string{"", "wait", "wait=", "wait=0", "wait=-1", "wait=soon", "waiting=10", "return=minimal", `foo="a, wait=30"`, `foo="a\", wait=30"`} {
		got := b.ask(t, http.MethodPost, "/orders", waited, "Prefer", preferences)
		if o := got.object(t, got.code); o["status"] != "pending" || got.code >= 300 || got.header.Get("Preference-Applied") != "" {
			t.Errorf("%q: the answer is %d %v", preferences, got.code, o)
		}
	}
}

// TestPreferWaitInVain shows an order without an outcome as it is, and makes room for
// another wait.
func TestPreferWaitInVain(t *testing.T) {
	b := open(t)
	for n := range maxTestStreams + 1 {
		got := b.ask(t, http.MethodPost, "/orders", strings.Replace(waited, orderID, fmt.Sprint(orderID, n), 1), "Prefer", "wait=1")
		if o := got.object(t, 201); o["status"] != "pending" || got.header.Get("Preference-Applied") != "wait=1" {
			t.Errorf("the order number %d is %v, %v", n, o, got.header)
		}
	}
}

// TestPreferWaitByKey shows the outcome to a repetition by key only if it waits.
func TestPreferWaitByKey(t *testing.T) {
	b := open(t)
	body := `{"amount":1,"items":["tea"],"customer":"ada","address":"1 Road"}`
	id, _ := b.ask(t, http.MethodPost, "/orders", body, "Idempotency-Key", "k").object(t, 201)["id"].(string)
	b.cancelled(t, id)
	if o := b.ask(t, http.MethodPost, "/orders", body, "Idempotency-Key", "k").object(t, 200); o["status"] != "pending" {
		t.Errorf("the first answer was not %v", o)
	}
	if o := b.ask(t, http.MethodPost, "/orders", body, "Idempotency-Key", "k", "Prefer", "wait=10").object(t, 200); o["status"] != "cancelled" {
		t.Errorf("the outcome is not %v", o)
	}
}

// crowded admits nobody.
type crowded struct{}

func (crowded) Open(context.Context, live.Filter, *order.EventID) (*live.Stream, error) {
	return nil, live.ErrFull
}

func (crowded) Await(context.Context, string) (<-chan struct{}, func(), error) {
	return nil, nil, live.ErrFull
}

// TestPreferWaitForTooMany holds that an order is accepted although nobody else can
// wait.
func TestPreferWaitForTooMany(t *testing.T) {
	b := open(t, func(p *parts) { p.Live = crowded{} })
	got := b.ask(t, http.MethodPost, "/orders", waited, "Prefer", "wait=10")
	if o := got.object(t, 201); o["status"] != "pending" || got.header.Get("Preference-Applied") != "" {
		t.Errorf("the order is %v", o)
	}
}

// TestPreferWaitWithoutRedis holds that an order is accepted, and shown as it was then,
// when Redis goes away meanwhile.
func TestPreferWaitWithoutRedis(t *testing.T) {
	b := open(t, func(p *parts) { p.Records = faulty(func() error { return order.ErrUnavailable }) })
	if o := b.ask(t, http.MethodPost, "/orders", waited, "Prefer", "wait=1").object(t, 201); o["status"] != "pending" {
		t.Errorf("the order is %v", o)
	}
}

// TestPreferWaitEndsWithTheServer holds that a server which stops answers those who
// wait.
func TestPreferWaitEndsWithTheServer(t *testing.T) {
	b := open(t)
	answered := make(chan answer, 1)
	go func() { answered <- b.ask(t, http.MethodPost, "/orders", waited, "Prefer", "wait=30") }()
	programtest.Until(t, "the order is accepted", func() bool {
		_, err := b.ledger.Get(t.Context(), orderID)
		return err == nil
	})
	b.stop()
	select {
	case got := <-answered:
		if o := got.object(t, 201); o["status"] != "pending" {
			t.Errorf("the order is %v", o)
		}
	case <-time.After(patience):
		t.Error("the client still waits")
	}
}
