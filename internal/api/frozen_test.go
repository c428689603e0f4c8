package api_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"orderprocessor/internal/order"
)

// TestEveryRouteWhileRedisIsFrozen answers 503 within the promised time, and as
// usual once Redis is back.
func TestEveryRouteWhileRedisIsFrozen(t *testing.T) {
	b := open(t, prompt)
	all := requests()
	for i, r := range all {
		id := fmt.Sprint("o", i)
		all[i].path = strings.Replace(r.path, orderID, id, 1)
		all[i].body = strings.Replace(r.body, orderID, id, 1)
		if strings.HasSuffix(r.operation, "/retry") {
			b.reach(t, id, order.StatusFailed)
		} else if strings.Contains(r.operation, "{id}") {
			b.reach(t, id, order.StatusPending)
		}
	}
	b.redis.Freeze()
	bound := pace(t, b)
	answers := make([]answer, len(all))
	var asking sync.WaitGroup // all at once, to wait only once
	for i, r := range all {
		asking.Go(func() { answers[i] = b.ask(t, r.method(), r.path, r.body) })
	}
	asking.Wait()
	inTime := bound()
	b.redis.Thaw()
	for i, r := range all {
		t.Run(r.operation, func(t *testing.T) {
			wantUnavailable(t, r, answers[i])
			answers[i].wantWithin(t, r.operation, inTime)
			var a answer
			eventually(t, "the route is served again", func() bool {
				a = b.ask(t, r.method(), r.path, r.body)
				return a.code != 503 && !strings.Contains(string(a.body), `"status":503`)
			})
			want := []int{200}
			switch r.operation { // Redis may have done what it was asked for as it thawed
			case "POST /orders":
				want = []int{201, 200}
			case "POST /orders/{id}/retry":
				want = []int{202, 409}
			}
			if !slices.Contains(want, a.code) {
				t.Errorf("answer is %d %s; want one of %v", a.code, a.body, want)
			}
		})
	}
}

func wantUnavailable(t *testing.T, r request, a answer) {
	t.Helper()
	if a.header.Get("Retry-After") != "1" {
		t.Errorf("headers are %v", a.header)
	}
	if r.operation != "POST /orders/batch" {
		if p := a.problem(t, 503); p.Type != typeUnavailable {
			t.Errorf("type is %q", p.Type)
		}
		return
	}
	if all := a.verdicts(t, jsonArray); len(all) != 1 || all[0].Status != 503 || all[0].Problem.Type != typeUnavailable {
		t.Errorf("verdicts are %s", a.body)
	}
}

// TestNotReady answers 503 and does nothing while the process starts.
func TestNotReady(t *testing.T) {
	b := open(t, func(p *parts) {
		p.cfg.Ready = func() error { return errors.New("starting: waiting for Redis at secret") }
	})
	for _, r := range requests() {
		t.Run(r.operation, func(t *testing.T) {
			a := b.ask(t, r.method(), r.path, r.body)
			if p := a.problem(t, 503); p.Type != typeUnavailable || a.header.Get("Retry-After") != "1" {
				t.Errorf("type is %q, headers %v", p.Type, a.header)
			}
			wantNothingInternal(t, a)
		})
	}
	b.empty(t)
}
