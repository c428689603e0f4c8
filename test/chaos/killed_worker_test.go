package chaos_test

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// flaky is a shop that sometimes cannot: of each hundred orders, the first call
// fails for four, and two fail for good.
func flaky(id string, call int) reply {
	digest := fnv.New32a()
	_, _ = digest.Write([]byte(id))
	r := acceptAll(id, call)
	switch n := digest.Sum32() % 100; {
	case n < 3 && call == 1:
		r.Status = http.StatusServiceUnavailable
	case n == 3 && call == 1:
		r.Status = 0
	case n == 4 || n == 5:
		r.Status = http.StatusUnprocessableEntity
	}
	return r
}

// flakyOrder is a mixed order and its outcome at the flaky shop.
func flakyOrder(n int) submission {
	o := mixed(n)
	if o.Ends == "completed" && flaky(o.ID, 2).Status == http.StatusUnprocessableEntity {
		o.Ends = "failed"
	}
	return o
}

// TestKilledWorkers kills workers at random moments while mixed orders go
// through them, and replaces each at once.
func TestKilledWorkers(t *testing.T) {
	total, kills := shortOrLong(10_000, 100_000), shortOrLong(5, 50)
	s := open(t, "1 workers are killed")
	s.shop.respond = flaky
	s.addAPIs(1)
	s.addWorkers(2 + s.rand.IntN(2))
	var sending sync.WaitGroup
	sending.Go(func() { s.client.submitAll(total, 12, flakyOrder) })
	s.killAt(s.moments(kills, total))
	sending.Wait()
	a := s.conclude()
	if len(a.listed) != total {
		t.Errorf("%d orders are recorded, %d were sent", len(a.listed), total)
	}
	if len(a.verdict.Recovery) == 0 {
		t.Errorf("none of %d kills hit an order in work", kills)
	}
}

// killAt kills a worker each time that the shop has had so many calls.
func (s *system) killAt(moments []int) {
	s.t.Helper()
	s.hitWorkers(moments, func(_ int, hit *instance) { hit.kill() })
}

// hitWorkers draws a worker each time that the shop has had so many calls, does something
// to it and restarts it.
func (s *system) hitWorkers(moments []int, do func(n int, hit *instance)) {
	s.t.Helper()
	for n, at := range moments {
		s.until(fmt.Sprintf("the shop has had %d calls", at), func() bool { return s.shop.called("") >= at })
		hit := s.workers[s.rand.IntN(len(s.workers))]
		do(n, hit)
		hit.restart()
	}
}

// TestDuplicateStorm has 200 clients send the same 500 orders again and again
// while workers are killed. Each order is accepted once and answered alike.
func TestDuplicateStorm(t *testing.T) {
	const clients, orders = 200, 500
	each, kills := shortOrLong(40, 500), shortOrLong(3, 20)
	s := open(t, "7 duplicates storm in")
	s.shop.respond = flaky
	s.addAPIs(2)
	s.addWorkers(2)
	st := &storm{s: s, first: map[string]contents{}, created: map[string]int{}}
	var sending sync.WaitGroup
	for n := range clients {
		order := rand.New(rand.NewPCG(s.seed, uint64(n)+1))
		sending.Go(func() {
			for range each {
				st.send(flakyOrder(order.IntN(orders)))
			}
		})
	}
	s.killAt(s.moments(kills, orders*9/10))
	sending.Wait()
	a := s.conclude()
	a.checkService()
	for id := range a.listed {
		if n := st.created[id]; n != 1 {
			t.Errorf("order %s was answered 201 %d times", id, n)
		}
	}
	if len(a.listed) != len(st.first) {
		t.Errorf("%d orders are recorded, %d were answered", len(a.listed), len(st.first))
	}
}

// contents is what every answer about an order must agree on.
type contents struct {
	ID        string      `json:"id"`
	Amount    json.Number `json:"amount"`
	Items     []string    `json:"items"`
	Customer  string      `json:"customer"`
	Priority  int         `json:"priority"`
	CreatedAt time.Time   `json:"created_at"`
}

// storm compares the answers to one order with each other.
type storm struct {
	s       *system
	mu      sync.Mutex
	first   map[string]contents
	created map[string]int // how often an order was answered 201
}

func (st *storm) send(o submission) {
	a := st.s.client.submit(o)
	var got contents
	if err := json.Unmarshal(a.body, &got); err != nil || (a.kind != "200" && a.kind != "201") {
		st.s.t.Errorf("order %s was answered %s: %s, %v", o.ID, a.kind, a.body, err)
		return
	}
	if replayed := a.header.Get("Idempotency-Replayed") == "true"; replayed != (a.kind == "200") {
		st.s.t.Errorf("order %s was answered %s, replayed: %v", o.ID, a.kind, replayed)
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	if a.kind == "201" {
		st.created[o.ID]++
	}
	if before, known := st.first[o.ID]; known {
		if diff := cmp.Diff(before, got); diff != "" {
			st.s.t.Errorf("order %s (-first answer +this):\n%s", o.ID, diff)
		}
		return
	}
	st.first[o.ID] = got
}
