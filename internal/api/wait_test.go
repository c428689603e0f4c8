package api_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"orderprocessor/internal/live"
	"orderprocessor/internal/order"

	"orderprocessor/internal/programtest"
)

// awaitAccepted waits until the order is in the ledger.
func (b *bundle) awaitAccepted(t *testing.T) {
	t.Helper()
	programtest.Until(t, "the order is accepted", func() bool {
		_, err := b.ledger.Get(t.Context(), orderID)
		return err == nil
	})
}

// TestPreferWait answers with the outcome of an order that is settled as soon as it is
// accepted.
func TestPreferWait(t *testing.T) {
	for _, row := range []struct{ preferences, applied string }{
		{"wait=10", "wait=10"},
		{`respond-async, WAIT = "10"; foo="bar"`, "wait=10"},
		{"wait=100000", "wait=30"},
		{"wait=99999999999999999999", "wait=30"},
	} {
		t.Run(row.preferences, func(t *testing.T) {
			b := open(t)
			done := make(chan struct{})
			go func() {
				defer close(done)
				b.awaitAccepted(t)
				b.move(t, orderID, order.StatusCompleted)
			}()
			got := b.ask(t, http.MethodPost, "/orders", body(), "Prefer", row.preferences)
			<-done
			if o := got.object(t, 201); o["status"] != "completed" || o["success"] != true {
				t.Errorf("the order is %v", o)
			}
			if applied := got.header.Get("Preference-Applied"); applied != row.applied {
				t.Errorf("Preference-Applied is %q", applied)
			}
			again := b.ask(t, http.MethodPost, "/orders", body(), "Prefer", row.preferences)
			if o := again.object(t, 200); o["status"] != "completed" || again.header.Get("Idempotency-Replayed") != "true" {
				t.Errorf("sent again it is %v", o)
			}
		})
	}
}

// TestPreferNothing ignores preferences other than a wait, and those that cannot be
// understood.
func TestPreferNothing(t *testing.T) {
	b := open(t)
	for _, preferences := range []string{"", "wait", "wait=", "wait=0", "wait=-1", "wait=soon", "waiting=10", "return=minimal", `foo="a, wait=30"`, `foo="a\", wait=30"`} {
		got := b.ask(t, http.MethodPost, "/orders", body(), "Prefer", preferences)
		if o := got.object(t, got.code); o["status"] != "pending" || got.code >= 300 || got.header.Get("Preference-Applied") != "" {
			t.Errorf("%q: answered %d %v", preferences, got.code, o)
		}
	}
}

// TestPreferWaitInVain shows an order without an outcome as it is, and makes room for
// another wait.
func TestPreferWaitInVain(t *testing.T) {
	b := open(t)
	for n := range maxTestStreams + 1 {
		got := b.ask(t, http.MethodPost, "/orders", withID(fmt.Sprint("o", n)), "Prefer", "wait=1")
		if o := got.object(t, 201); o["status"] != "pending" || got.header.Get("Preference-Applied") != "wait=1" {
			t.Errorf("the order number %d is %v, %v", n, o, got.header)
		}
	}
}

// TestPreferWaitByKey shows the outcome to a repetition by key only if it waits.
func TestPreferWaitByKey(t *testing.T) {
	b := open(t)
	id, _ := b.keyed(t, "k", body("id", "")).object(t, 201)["id"].(string)
	b.move(t, id, order.StatusCancelled)
	if o := b.keyed(t, "k", body("id", "")).object(t, 200); o["status"] != "pending" {
		t.Errorf("the first answer was not %v", o)
	}
	waited := b.ask(t, http.MethodPost, "/orders", body("id", ""), "Idempotency-Key", "k", "Prefer", "wait=10")
	if o := waited.object(t, 200); o["status"] != "cancelled" {
		t.Errorf("the outcome is not %v", o)
	}
}

// fullHub has no room for anybody.
type fullHub struct{}

func (fullHub) Open(context.Context, live.Filter, order.EventPosition) (*live.Stream, error) {
	return nil, live.ErrFull
}

func (fullHub) Await(context.Context, string) (<-chan struct{}, func(), error) {
	return nil, nil, live.ErrFull
}

// TestPreferWaitFails accepts an order, and shows it as it was then, when nobody else can
// wait, or Redis becomes unavailable meanwhile.
func TestPreferWaitFails(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		change  func(*parts)
		applied string
	}{
		"full":          {func(p *parts) { p.Live = fullHub{} }, ""},
		"without Redis": {func(p *parts) { p.Records = failing(func() error { return order.ErrUnavailable }) }, "wait=1"},
	} {
		t.Run(name, func(t *testing.T) {
			got := open(t, row.change).ask(t, http.MethodPost, "/orders", body(), "Prefer", "wait=1")
			if o := got.object(t, 201); o["status"] != "pending" || got.header.Get("Preference-Applied") != row.applied {
				t.Errorf("the order is %v, headers %v", o, got.header)
			}
		})
	}
}

// TestPreferWaitEndsWithTheServer answers clients that wait when the server stops.
func TestPreferWaitEndsWithTheServer(t *testing.T) {
	b := open(t)
	answered := make(chan answer, 1)
	go func() { answered <- b.ask(t, http.MethodPost, "/orders", body(), "Prefer", "wait=30") }()
	b.awaitAccepted(t)
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
