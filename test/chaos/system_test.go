package chaos_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
)

// system is the whole machine of one scenario.
type system struct {
	t       *testing.T
	name    string
	seed    uint64
	rand    *rand.Rand // decides who is hit and when; for the goroutine of the test alone
	redis   *redistest.Server
	rdb     redis.UniversalClient
	shop    *shop
	client  *sender
	apis    []*instance
	workers []*instance
	faults  atomic.Int64

	redisURL string        // for the programs that start from now on
	more     []string      // settings of the programs that start from now on
	p99      time.Duration // bounds the 99th percentile of recovery

	mu     sync.Mutex
	owned  []*process
	losses map[string]time.Time // when a worker was killed, by its id
}

// open starts Redis, with more settings if need be, and the shop. The scenario adds
// programs, and ends with conclude.
func open(t *testing.T, name string, settings ...string) *system {
	t.Helper()
	s := openWithout(t, name)
	s.redis = redistest.Start(t, append([]string{"--appendonly", "yes", "--appendfsync", "everysec"}, settings...)...)
	s.rdb, s.redisURL = s.redis.Client(), s.redis.URL()
	return s
}

// openWithout starts everything but Redis.
func openWithout(t *testing.T, name string) *system {
	t.Helper()
	if !long() { // the long forms run alone, so that their measurements are their own
		t.Parallel()
	}
	s := &system{t: t, name: name, seed: newSeed(t), losses: map[string]time.Time{}}
	t.Logf("%s: CHAOS_SEED=%d", name, s.seed)
	s.p99 = boundP99()
	s.rand = rand.New(rand.NewPCG(s.seed, 0))
	s.shop = openShop(t)
	s.client = newClient(t, s)
	t.Cleanup(s.close)
	return s
}

// environment returns the settings of every program.
func (s *system) environment() []string {
	return append(programtest.Settings(
		"REDIS_URL="+s.redisURL, "ORDERS_FULFILMENT_URL="+s.shop.url,
		"ORDERS_RETRY_BASE=10ms", "ORDERS_RETRY_MAX=100ms",
		"ORDERS_WORKER_CONCURRENCY=16", "ORDERS_WORKER_LANES=2", "ORDERS_WORKER_RESERVED_CRITICAL=2",
	), s.more...)
}

// addAPIs starts APIs, which clients use in turn.
func (s *system) addAPIs(n int, env ...string) {
	s.t.Helper()
	s.apis = append(s.apis, s.add("api", n, env)...)
}

// addWorkers starts workers.
func (s *system) addWorkers(n int, env ...string) {
	s.t.Helper()
	s.workers = append(s.workers, s.add("worker", n, env)...)
}

func (s *system) add(program string, n int, env []string) []*instance {
	s.t.Helper()
	var added []*instance
	for range n {
		l := &instance{s: s, program: program, env: env}
		l.restart()
		added = append(added, l)
	}
	return added
}

// moments draws n ascending numbers out of the middle of 0 to total: a fault is
// due when so many orders have come so far.
func (s *system) moments(n, total int) []int {
	drawn := make([]int, n)
	for i := range drawn {
		drawn[i] = total/50 + s.rand.IntN(total*9/10)
	}
	slices.Sort(drawn)
	return drawn
}

// own makes the system end a process when the scenario is over.
func (s *system) own(p *process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owned = append(s.owned, p)
}

// noteLoss notes the moment in which a process is lost.
func (s *system) noteLoss(p *process) {
	p.expected.Store(true)
	s.faults.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.id != "" {
		s.losses[p.id] = time.Now()
	}
}

// checkProcesses wants no program to have ended unexpectedly.
func (s *system) checkProcesses() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.owned {
		if p.endedUnexpectedly() {
			s.t.Errorf("%s ended unexpectedly, %v:\n%s", p, p.State(), p.Tail())
		}
	}
}

// until polls a condition until it is true.
func (s *system) until(what string, ok func() bool) {
	s.t.Helper()
	if !programtest.Poll(patience, ok) {
		s.t.Fatalf("gave up waiting until %s", what)
	}
}

func (s *system) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.owned {
		p.expected.Store(true)
		p.Kill()
		if text := p.problemLines(); text != "" && s.t.Failed() {
			s.t.Logf("%s %s logged:\n%s", p, p.id, text)
		}
	}
}
