package api_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/api"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/rules"
)

// TestSimulateRules compares a version with builtin, for some of the orders.
func TestSimulateRules(t *testing.T) {
	b := open(t)
	version := b.push(t, holdsLarge, 201)
	path := "/rules/" + version + "/simulate"
	b.reach(t, "small", order.StatusCompleted)
	b.reach(t, "large", order.StatusCompleted, ordertest.WithAmount("500.01"))
	b.reach(t, "larger", order.StatusPending, ordertest.WithAmount("2000"))
	b.reach(t, "largest", order.StatusRejected, ordertest.WithAmount("10000.01"))
	change := func(from, amount string) map[string]any {
		return map[string]any{"from": from, "to": "hold", "orders": 1.0, "amounts": map[string]any{"USD": amount}}
	}
	all := []any{change("priority", "2000.00"), change("reject", "10000.01"), change("standard", "500.01")}
	for _, row := range []struct {
		body            string
		orders, changed float64
		transitions     []any
	}{
		{"", 4, 3, all},
		{"{}", 4, 3, all},
		{`{"limit":2}`, 2, 2, all[:2]},
		{`{"status":"completed"}`, 2, 1, all[2:]},
		{`{"created_from":"2020-01-01T00:00:00Z","created_to":"2020-01-02T00:00:00Z"}`, 0, 0, []any{}},
	} {
		got := b.ask(t, "POST", path, row.body).object(t, 200)
		if diff := cmp.Diff(row.transitions, amountsAsText(got["transitions"])); got["orders"] != row.orders || got["changed"] != row.changed || got["errors"] != 0.0 || diff != "" {
			t.Errorf("%s: answered %v\n%s", row.body, got, diff)
		}
	}
	got := b.ask(t, "POST", path, `{"status":"rejected"}`).object(t, 200)["examples"]
	if diff := cmp.Diff([]any{map[string]any{"id": "largest", "from": "reject", "to": "hold", "rule": "large"}}, got); diff != "" {
		t.Error(diff)
	}
	for text, want := range map[string]string{
		`{"limit":0}`: "limit out_of_range", `{"limit":1000001}`: "limit out_of_range", `{"limit":"1"}`: "limit wrong_type",
		`{"status":"lost"}`: "status invalid", `{"created_from":"yesterday"}`: "created_from invalid", `{"since":1}`: "since unknown_field",
	} {
		b.checkRefused(t, "POST", path, text, want)
	}
	b.checkRefused(t, "POST", path, `{"limit":1`)
	b.ask(t, "POST", path, `{}`, "Content-Type", "text/plain").problem(t, 415)
}

// amountsAsText writes the numbers of amounts with two decimals.
func amountsAsText(transitions any) any {
	all, _ := transitions.([]any)
	for _, v := range all {
		transition, _ := v.(map[string]any)
		amounts, _ := transition["amounts"].(map[string]any)
		for currency, amount := range amounts {
			if n, is := amount.(float64); is {
				amounts[currency] = fmt.Sprintf("%.2f", n)
			}
		}
	}
	return transitions
}

// endless is rules whose simulations report one more order at a time, until their context
// ends.
type endless struct {
	api.Rules
	ended chan error
}

func (e endless) Simulate(
	ctx context.Context, _ string, _ rules.Lister, _ order.Filter, _ int, progress func(*rules.Simulation),
) (*rules.Simulation, error) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for so := (rules.Simulation{}); ; so.Orders++ {
		select {
		case <-ctx.Done():
			e.ended <- ctx.Err()
			return nil, ctx.Err()
		case <-tick.C:
			progress(&so)
		}
	}
}

// TestWatchSimulation tells a client that watches how far the simulation is. There is room
// for one, which ends when its client leaves.
func TestWatchSimulation(t *testing.T) {
	b := open(t)
	p := parts{Parts: b.parts}
	rules := endless{p.Rules, make(chan error, 1)}
	p.Rules = rules
	b.site = serve(t, p)
	for range 2 {
		ctx, leave := context.WithCancel(t.Context())
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+b.addr+"/rules/builtin/simulate", http.NoBody)
		must(t, err)
		req.Header.Set("Accept", ndjson)
		watcher := &http.Client{Transport: &http.Transport{}} // the other one reads whole answers
		defer watcher.CloseIdleConnections()
		resp, err := watcher.Do(req)
		must(t, err)
		lines := bufio.NewScanner(resp.Body)
		if !lines.Scan() || !strings.HasPrefix(lines.Text(), `{"orders":`) || strings.Contains(lines.Text(), "done") || resp.Header.Get("Content-Type") != ndjson {
			t.Errorf("answered %d %v %s", resp.StatusCode, resp.Header, lines.Text())
		}
		busy := b.ask(t, "POST", "/rules/builtin/simulate", "")
		if p := busy.problem(t, 503); p.Type != typeNoRoom || busy.header.Get("Retry-After") != "1" {
			t.Errorf("a second simulation is answered %+v, %v", p, busy.header)
		}
		leave()
		must(t, resp.Body.Close())
		if err := <-rules.ended; err == nil {
			t.Error("the simulation has not been cancelled")
		}
		programtest.Until(t, "there is room again", func() bool { return len(b.server.Simulations()) == 0 })
	}
}

// TestWatchedSimulationEnds writes the result, or the problem, as the last line.
func TestWatchedSimulationEnds(t *testing.T) {
	b := open(t)
	b.reach(t, "o1", order.StatusCompleted)
	watch := func(version string) answer {
		return b.ask(t, "POST", "/rules/"+version+"/simulate", "", "Accept", "application/json, "+ndjson)
	}
	if got := watch("builtin").object(t, 200); got["done"] != true || got["orders"] != 1.0 || got["error"] != nil {
		t.Errorf("answered %v", got)
	}
	watch("c0ffee").problem(t, 404)
	if n := len(b.server.Simulations()); n != 0 {
		t.Errorf("%d simulations run", n)
	}
}
