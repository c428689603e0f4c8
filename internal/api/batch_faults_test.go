package api_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/api"
	"orderprocessor/internal/order"

	"orderprocessor/internal/programtest"
)

// TestBatchWithoutRedis answers each order with a verdict within the promised time, at the
// pace at which this machine answers a batch that needs no Redis, and
// accepts each once when the batch is sent again.
func TestBatchWithoutRedis(t *testing.T) {
	t.Parallel()
	for _, outage := range outages() {
		t.Run(outage.name, func(t *testing.T) {
			b := open(t, prompt, maxQueueLength(5000))
			b.batch(t, withID("before"))
			text := strings.Repeat(body("id", "")+"\n", 5) + lines("o", 1000) + withID("bad", "amount", "0")
			refused := b.ask(t, "POST", "/orders/batch", strings.Repeat(withID("bad", "amount", "0")+"\n", 1006), "Content-Type", ndjson)
			outage.begin(b.redis)
			bound := pace(t, b)
			a := b.ask(t, "POST", "/orders/batch", text, "Content-Type", ndjson)
			outage.end(b.redis)
			a.checkWithin(t, "batch", bound()+10*refused.took)
			all := a.verdicts(t, ndjson)
			if diff := cmp.Diff(map[int]int{503: 1005, 400: 1}, count(all)); diff != "" || a.header.Get("Retry-After") != "1" {
				t.Fatalf("headers are %v: %s", a.header, diff)
			}
			again, known := lines("o", 1000), 0
			for i, v := range all {
				if v.Status == 503 && v.Problem.Type != typeUnavailable {
					t.Errorf("line %d has type %q", v.Line, v.Problem.Type)
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
				t.Error("the answer has no id that the server made")
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
				want = "1006" // with the order from before, which a killed Redis has lost
			}
			if got := b.accepted(t); got != want {
				t.Errorf("%s orders were accepted; want %s", got, want)
			}
		})
	}
}

// TestBatchWhenFull accepts as many new orders as there is room for, and all that are known.
func TestBatchWhenFull(t *testing.T) {
	b := open(t, maxQueueLength(500))
	first := b.ask(t, "POST", "/orders/batch", lines("o", 600), "Content-Type", ndjson)
	all := first.verdicts(t, ndjson)
	if diff := cmp.Diff(map[int]int{201: 500, 503: 100}, count(all)); diff != "" || first.header.Get("Retry-After") != "10" {
		t.Fatalf("headers are %v: %s", first.header, diff)
	}
	for i, v := range b.batch(t, lines("o", 600)) {
		if p := all[i].Problem; p != nil && (p.Type != typeNoRoom || p.OrderID != "") {
			t.Errorf("problem is %+v", p)
		}
		if want := map[int]int{201: 200, 503: 503}[all[i].Status]; v.Status != want {
			t.Errorf("sent again, line %d is %d; want %d", v.Line, v.Status, want)
		}
	}
	b.checkTasks(t, "pending", 500)
}

// TestManyBatches refuses a batch while as many as may be are arriving, and accepts single
// orders meanwhile.
func TestManyBatches(t *testing.T) {
	b := open(t)
	conns, answers := make([]net.Conn, api.MaxBatches+1), make(chan answer, api.MaxBatches+1)
	for i := range conns {
		conn := b.dial(t)
		_, err := io.WriteString(conn, cut{media: ndjson, body: inChunks(withID(fmt.Sprint("o", i)) + "\n")}.request())
		must(t, err)
		go func() { // whichever finds no slot is answered
			if resp, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil {
				text, _ := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				answers <- answer{code: resp.StatusCode, header: resp.Header, body: text}
			}
		}()
		conns[i] = conn
	}
	a := <-answers
	if p := a.problem(t, 503); p.Type != typeNoRoom || a.header.Get("Retry-After") != "1" || !strings.Contains(p.Detail, "too many batches") {
		t.Errorf("problem is %+v, headers %v", p, a.header)
	}
	b.ask(t, "POST", "/orders", withID("alone")).object(t, 201)
	for _, conn := range conns {
		must(t, conn.Close())
	}
	programtest.Until(t, "a batch is accepted again, and so is what had arrived", func() bool {
		again := b.ask(t, "POST", "/orders/batch", withID("one-more"), "Content-Type", ndjson)
		return again.code == 200 && len(b.list(t, "/orders").ids) == api.MaxBatches+2
	})
}

// slowIntake needs some time for each step of a batch.
type slowIntake struct{ failing }

func (slowIntake) SubmitAll(ctx context.Context, orders []order.Order) []order.Acceptance {
	latency := time.NewTimer(600 * time.Millisecond)
	defer latency.Stop()
	select {
	case <-ctx.Done():
	case <-latency.C:
	}
	all := make([]order.Acceptance, len(orders))
	for i, o := range orders {
		all[i] = order.Acceptance{Record: order.Record{Order: o}, IsNew: true, Err: ctx.Err()}
	}
	return all
}

// TestSlowBatch lets a batch take longer than other requests.
func TestSlowBatch(t *testing.T) {
	t.Parallel()
	p := withIntake(slowIntake{})
	p.prompt = true
	begun := time.Now()
	if diff := cmp.Diff(map[int]int{201: 1200}, count(serve(t, p).batch(t, lines("o", 1200)))); diff != "" {
		t.Error(diff)
	}
	if took := time.Since(begun); took < 1800*time.Millisecond {
		t.Errorf("the batch took only %v", took)
	}
}

// TestBatchStopsTrying does not try the rest of a batch once Redis is unavailable, and logs
// the reason once.
func TestBatchStopsTrying(t *testing.T) {
	t.Parallel()
	var tried atomic.Int64
	s := serve(t, withIntake(failing(func() error {
		tried.Add(1)
		return errors.Join(order.ErrUnavailable, errors.New("refused"))
	})))
	const orders = 5000
	if all := s.batch(t, lines("o", orders)); count(all)[503] != orders {
		t.Errorf("statuses are %v", count(all))
	}
	// Each of the four shards may have begun a chunk or two.
	if n := tried.Load(); n == 0 || n > orders/2 {
		t.Errorf("%d of %d orders were tried", n, orders)
	}
	log := s.log.String()
	if strings.Count(log, "5000 of 5000 orders were not accepted, the first because: ") != 1 || !strings.Contains(log, "refused") {
		t.Errorf("the log is %s", log)
	}
}
