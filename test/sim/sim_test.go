// Package sim_test simulates the service in one goroutine bubble: intake, workers and
// recovery with the real ledger and its scripts, and in place of network, queue, shop and
// clock a bus that one seed decides. A seed always gives the same trace.
package sim_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

// healing bounds how long after the last fault every order must have its outcome: a poison
// order needs three workers, one after the other, and may wait for its quarantine.
const healing = 5 * time.Minute

// sim is one simulation.
type sim struct {
	*bus
	t      *testing.T
	ctx    context.Context
	defect defect

	server   *miniredis.Miniredis
	redis    *redis.Client
	scripts  map[string]string // names by hash
	executed map[string]int    // scripts by their arguments, for defects
	queue    *queue
	shop     *shop
	apis     []*process
	clients  map[string][]*client // by order

	maxAttempts, slots int
	retryFor           time.Duration
	shopFails          float64
	took               time.Duration // by the clock of the bubble

	running sync.WaitGroup // everything that the processes run
}

// simulate runs a seed to its end and checks it.
func simulate(t *testing.T, seed uint64, d defect) (s *sim) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s = &sim{bus: newBus(seed), t: t, defect: d, scripts: map[string]string{}, executed: map[string]int{}, clients: map[string][]*client{}}
		s.simulate()
	})
	return s
}

func (s *sim) simulate() {
	ctx, cancel := context.WithCancel(context.Background())
	s.ctx = ctx
	s.server, s.redis = openRedis()
	s.queue, s.shop = &queue{sim: s, tasks: map[string]*task{}}, newShop(s)
	s.maxAttempts, s.retryFor = []int{0, 2, 4}[s.rand.IntN(3)], []time.Duration{10 * time.Second, time.Minute}[s.rand.IntN(2)]
	s.slots, s.shopFails = 1+s.rand.IntN(4), []float64{0, 0.3, 0.85}[s.rand.IntN(3)]
	s.apis = make([]*process, 1+s.rand.IntN(2))
	for n := range s.apis {
		s.startAPI(n, 1)
	}
	workers := 1 + s.rand.IntN(3)
	for n := range workers {
		s.startWorker(n, 1)
	}
	faulty := s.between(5*time.Second, 25*time.Second)
	s.startClients(faulty)
	s.lines = append(s.lines, fmt.Sprintf("APIs: %d; workers: %d of %d slots; attempts: %d (0 for any number) within %v; the shop refuses %.0f %% of calls",
		len(s.apis), workers, s.slots, s.maxAttempts, s.retryFor, 100*s.shopFails))
	s.after(s.between(0, faulty), "Redis forgets its scripts", func() { s.redis.ScriptFlush(ctx) })
	quiet := false
	s.after(faulty, "the faults end", func() { s.rates, s.shopFails, quiet = nil, 0, true })
	s.carryAll(s.queue.due, func() bool { return quiet && s.settled(faulty+healing) })
	s.check()
	slices.Sort(s.findings)
	cancel()
	s.running.Wait()
	_ = s.redis.Close()
	s.server.Close()
	s.took = time.Since(s.begun)
}

// settled reports whether nothing is left to do. After the bound it records what is.
func (s *sim) settled(bound time.Duration) bool {
	open := s.open()
	if len(open) > 0 && time.Since(s.begun) > bound {
		s.find("%v after the last fault %s", healing, strings.Join(open, "; "))
		return true
	}
	return len(open) == 0
}

// open returns what is left to do.
func (s *sim) open() (all []string) {
	for _, id := range slices.Sorted(maps.Keys(s.clients)) {
		if status := s.standing(id).status; status != "" && !status.Settled() {
			all = append(all, id+" is "+string(status))
		}
		for _, c := range s.clients[id] {
			if !c.ended {
				all = append(all, c.p.name+" waits")
			}
		}
	}
	for _, t := range s.queue.in(pending, active, scheduled, retry) {
		all = append(all, "the task of "+t.id+" is "+string(t.state))
	}
	for _, m := range s.waiting {
		if m.gone.Load() {
			all = append(all, m.what+" of "+m.sender+" is on its way")
		}
	}
	return all
}

// startClients starts a client for each order, and for some a second one.
func (s *sim) startClients(during time.Duration) {
	kinds := []string{noteOrdinary, noteOrdinary, noteOrdinary, noteOrdinary, noteRejected, noteRefused, noteHeld, noteReleased}
	thens := map[string][]string{
		noteOrdinary: {"", "cancel", "retry", "conflict"}, noteRejected: {"", "retry"}, noteRefused: {"retry", "cancel"},
		noteHeld: {"", "cancel", "release", "reject"}, noteReleased: {"", "cancel", "release", "reject"}, notePoison: {""},
	}
	within := []time.Duration{20 * time.Millisecond, during * 2 / 3}[s.rand.IntN(2)] // a burst, or one after the other
	poison := s.rand.IntN(20) == 0
	for n := range 4 + s.rand.IntN(6) {
		kind := kinds[s.rand.IntN(len(kinds))]
		if poison && n == 0 {
			kind = notePoison
		}
		id := fmt.Sprintf("o%d", n)
		o := ordertest.Order(s.t, ordertest.WithID(id), func(sub *order.Submission) { sub.Notes = kind })
		if s.rand.IntN(8) == 0 {
			o.ProcessAt = time.Now().Add(s.between(0, during)).Truncate(time.Microsecond).UTC()
		}
		then := thens[kind][s.rand.IntN(len(thens[kind]))]
		begin := s.between(0, within)
		s.startClient("c"+strconv.Itoa(n), o, begin, then)
		if s.rand.IntN(4) == 0 {
			s.startClient("d"+strconv.Itoa(n), o, begin+s.between(0, time.Second), "")
		}
	}
}

func (s *sim) startClient(name string, o order.Order, begin time.Duration, then string) {
	c := &client{order: o, submit: begin, then: then, rand: rand.New(rand.NewPCG(s.rand.Uint64(), 0))}
	c.p = s.newProcess(name, 1, clientPatience)
	s.clients[o.ID] = append(s.clients[o.ID], c)
	s.running.Go(func() {
		c.run()
		c.ended = true
	})
}
