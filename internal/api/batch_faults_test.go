package api_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/api"
	"orderprocessor/internal/order"

	"orderprocessor/internal/programtest"
)

const typeUnavailable = "tag:orderprocessor,2026:redis-unavailable"

// count counts the verdicts by status.
func count(all []verdict) map[int]int {
	n := map[int]int{}
	for _, v := range all {
		n[v.Status]++
	}
	return n
}

// TestBatchWhileRedisIsAway has a verdict for each order within the promised
// time, and accepts each once when the batch is sent again.
func TestBatchWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	for _, outage := range outages() {
		t.Run(outage.name, func(t *testing.T) {
			b := open(t, prompt, maxQueueLength(5000))
			b.batch(t, withID("before"))
			text := strings.Repeat(body("id", "")+"\n", 5) + lines("o", 1000) + withID("bad", "amount", "0")
			outage.begin(b.redis)
			bound := pace(t, b)
			a := b.ask(t, "POST", "/orders/batch", text, "Content-Type", ndjson)
			outage.end(b.redis)
			a.wantWithin(t, "batch", bound())
			all := a.verdicts(t, ndjson)
			if diff := cmp.Diff(map[int]int{503: 1005, 400: 1}, count(all)); diff != "" || a.header.Get("Retry-After") != "1" {
				t.Fatalf("headers are %v: %s", a.header, diff)
			}
			again, known := lines("o", 1000), 0
			for i, v := range all {
				if v.Status == 503 && v.Problem.Type != typeUnavailable {
					t.Errorf("line %d is of type %q", v.Line, v.Problem.Type)
				}
				switch {
				case i >= 5:
				case v.Problem.OrderID == "": // it was not even tried
					again += body("id", "") + "\n"
				default:
					known++
					again += withID(v.Problem.OrderID) + "\n"
				}
			}
			if known == 0 {
				t.Error("the answer names no id that the server has made")
			}
			programtest.Until(t, "the batch is accepted", func() bool {
				n := count(b.batch(t, lines("o", 1000)))
				return n[200]+n[201] == 1000
			})
			n := count(b.batch(t, again))
			if n[200]+n[201] != 1005 {
				t.Errorf("statuses are %v", n)
			}
			want := "1005"
			if outage.name == "frozen" {
				want = "1006" // with the one from before, which the killed one has lost
			}
			if got := b.rdb.HGet(t.Context(), "orders:{b0}:c", "accepted").Val(); got != want {
				t.Errorf("%s orders were accepted; want %s", got, want)
			}
		})
	}
}

// TestBatchWhenFull accepts as many orders as there is room for, and those that
// it knows.
func TestBatchWhenFull(t *testing.T) {
	b := open(t, maxQueueLength(500))
	first := b.ask(t, "POST", "/orders/batch", lines("o", 600), "Content-Type", ndjson)
	all := first.verdicts(t, ndjson)
	if diff := cmp.Diff(map[int]int{201: 500, 503: 100}, count(all)); diff != "" || first.header.Get("Retry-After") != "10" {
		t.Fatalf("headers are %v: %s", first.header, diff)
	}
	for _, v := range all {
		if v.Status == 503 && (v.Problem.Type != typeNoRoom || v.Problem.OrderID != "") {
			t.Errorf("problem is %+v", v.Problem)
		}
	}
	for i, v := range b.batch(t, lines("o", 600)) {
		if want := map[int]int{201: 200, 503: 503}[all[i].Status]; v.Status != want {
			t.Errorf("sent again, line %d is %d; want %d", v.Line, v.Status, want)
		}
	}
	if n := b.tasks(t, "pending"); n != 500 {
		t.Errorf("%d tasks wait; want 500", n)
	}
}

// TestManyBatches refuses a batch while as many as may be are on their way, and accepts
// single orders meanwhile.
func TestManyBatches(t *testing.T) {
	b := open(t)
	var held []net.Conn
	for i := range api.MaxBatches {
		conn := b.dial(t)
		request := cut{media: ndjson, body: inChunks(withID(fmt.Sprint("held", i)) + "\n")}.request()
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
		held = append(held, conn)
	}
	var a answer
	programtest.Until(t, "one batch too many is refused", func() bool {
		a = b.ask(t, "POST", "/orders/batch", withID("one-more"), "Content-Type", ndjson)
		return a.code != 200
	})
	if p := a.problem(t, 503); p.Type != typeNoRoom || a.header.Get("Retry-After") != "1" || !strings.Contains(p.Detail, "too many batches") {
		t.Errorf("problem is %+v, headers %v", p, a.header)
	}
	b.ask(t, "POST", "/orders", withID("alone")).object(t, 201)
	for _, conn := range held {
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
	}
	programtest.Until(t, "a batch is accepted again, and so is what had arrived", func() bool {
		again := b.ask(t, "POST", "/orders/batch", withID("one-more"), "Content-Type", ndjson)
		return again.code == 200 && len(b.list(t, "/orders").ids) == api.MaxBatches+2
	})
}

// slow takes its time with each step.
type slow struct{ takes }

func (s slow) SubmitAll(ctx context.Context, orders []order.Order) []order.Acceptance {
	latency := time.NewTimer(600 * time.Millisecond)
	defer latency.Stop()
	select {
	case <-ctx.Done():
	case <-latency.C:
	}
	all := s.takes.SubmitAll(ctx, orders)
	for i := range all {
		all[i].Err = ctx.Err()
	}
	return all
}

// TestSlowBatch lets a batch take longer than other requests.
func TestSlowBatch(t *testing.T) {
	t.Parallel()
	s := serve(t, taking(slow{func(_ context.Context, o order.Order) (order.Record, bool, error) {
		return order.Record{Order: o}, true, nil
	}}))
	begun := time.Now()
	if diff := cmp.Diff(map[int]int{201: 1200}, count(s.batch(t, lines("o", 1200)))); diff != "" {
		t.Error(diff)
	}
	if took := time.Since(begun); took < 1800*time.Millisecond {
		t.Errorf("the batch took only %v", took)
	}
}

// TestBatchFaults keeps what went wrong from the client, and logs it once.
func TestBatchFaults(t *testing.T) {
	t.Parallel()
	s := serve(t, taking(faulty(func() error { return errors.New("secret dsn") })))
	a := s.ask(t, "POST", "/orders/batch", lines("o", 3)+"x\n", "Content-Type", ndjson)
	wantNothingInternal(t, a)
	all := a.verdicts(t, ndjson)
	if diff := cmp.Diff([]string{"1 500", "2 500", "3 500", "4 400"}, brief(all)); diff != "" {
		t.Error(diff)
	}
	if all[0].Problem.Type != "about:blank" || all[0].Problem.Detail == "" {
		t.Errorf("problem is %+v", all[0].Problem)
	}
	line := fmt.Sprintf(`"level":"ERROR","msg":"orders of a batch failed","error":"secret dsn","request_id":%q`, a.header.Get("X-Request-Id"))
	if log := s.log.String(); strings.Count(log, "secret dsn") != 1 || !strings.Contains(log, line) {
		t.Errorf("the log says %s", log)
	}
}

// TestBatchPanic survives a panic of the intake, as with a single order.
func TestBatchPanic(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	s := serve(t, taking(takes(func(_ context.Context, o order.Order) (order.Record, bool, error) {
		if asked.Add(1) == 1 {
			panic("secret dsn")
		}
		return order.Record{Order: o}, true, nil
	})))
	a := s.ask(t, "POST", "/orders/batch", withID("a"), "Content-Type", ndjson)
	wantNothingInternal(t, a)
	if s.batch(t, withID("b"))[0].Status != 201 || !strings.Contains(s.log.String(), "secret dsn") {
		t.Errorf("the log says %s", s.log)
	}
}
