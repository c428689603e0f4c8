package browser_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"orderprocessor/internal/order"
)

// tile waits for what a tile says, and how loud.
func (p *tab) tile(name, figure, note, level string) {
	p.t.Helper()
	p.sees(fmt.Sprintf("[data-figure=%s]", name), figure)
	p.sees(fmt.Sprintf("[data-figure=%s-note]", name), note)
	p.until(fmt.Sprintf("(document.querySelector('[data-tile=%s]').dataset.level ?? '') === %q", name, level))
}

// state waits for the state of the whole.
func (p *tab) state(level, words, detail string) {
	p.t.Helper()
	p.sees("#state-words", words)
	p.sees("#state-detail", detail)
	p.until(fmt.Sprintf("document.querySelector('#state').dataset.level === %q", level))
}

// TestWorkers counts processes and their slots.
func TestWorkers(t *testing.T) {
	s := start(t)
	p := s.open("")
	p.mayRefuse() // /health answers 503 without a worker
	p.tile("workers", "0", "none is alive", "bad")
	p.state("bad", "No worker is alive", "Orders are accepted and wait until the queues are full.")
	s.worker()
	p.tile("workers", "1", "0 of 8 slots busy", "")
	stop := s.workerProcess()
	p.tile("workers", "2", "0 of 16 slots busy", "")
	p.state("good", "All is well", "No order waits. 16 slots ready for orders.")
	stop()
	p.tile("workers", "1", "0 of 8 slots busy", "")
}

// workerProcess starts a worker that is a process of its own, and returns what stops
// it.
func (s *system) workerProcess() (stop func()) {
	s.t.Helper()
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), append(s.env, asWorker+"=yes")...)
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			s.t.Errorf("the worker ended with %v", err)
		}
	})
	s.t.Cleanup(stop)
	return stop
}

// TestMemory compares the memory of Redis with its limit, and says what is refused when
// little is left.
func TestMemory(t *testing.T) {
	s := start(t)
	s.worker()
	p := s.open("")
	p.tile("memory", " MiB", "no limit set", "")
	s.limitMemory("1000mb")
	p.tile("memory", " MiB", "% of 1,000 MiB", "")
	p.until(`parseFloat(document.querySelector("[data-meter=memory] span").style.width) < 5`)
	s.limitMemory("2100000") // an empty Redis uses most of it
	p.tile("memory", " MiB", "% of 2.0 MiB", "warn")
	p.state("bad", "Redis is nearly full", "New orders are refused.")
	s.limitMemory("0")
	p.tile("memory", " MiB", "no limit set", "")
	p.state("good", "All is well", "")
}

func (s *system) limitMemory(limit string) {
	s.t.Helper()
	if err := s.redis.Client().ConfigSet(s.t.Context(), "maxmemory", limit).Err(); err != nil {
		s.t.Fatal(err)
	}
}

// TestDrift is loud about books that do not balance, as somebody else has changed a
// key of the ledger's.
func TestDrift(t *testing.T) {
	s, p := settled(t)
	p.tile("drift", "0", "the books balance", "good")
	// Recovery repairs the count every ten seconds, so it is falsified again and again.
	rdb := s.redis.Client()
	count := func(accepted int) error { return rdb.HSet(t.Context(), "orders:{b0}:c", "accepted", accepted).Err() }
	restore := make(chan struct{})
	falsified := make(chan error, 1)
	go func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-restore:
				falsified <- count(1)
				return
			case <-tick.C:
				if err := count(4); err != nil {
					falsified <- err
					return
				}
			}
		}
	}()
	p.tile("drift", "3", "The books do not balance", "bad")
	p.state("bad", "The books do not balance", "The drift is 3: another program changed keys, or Redis lost some.")
	p.readable()
	p.shoot("drift")
	close(restore)
	if err := <-falsified; err != nil {
		t.Fatal(err)
	}
	p.tile("drift", "0", "the books balance", "good")
	p.state("good", "All is well", "")
}

// TestFull says that orders are refused, and when they no longer are.
func TestFull(t *testing.T) {
	s := start(t, "ORDERS_MAX_QUEUE_LENGTH=3")
	s.worker()
	p := s.open("")
	p.mayRefuse()
	s.post("/queues/low/pause", "")
	for i := range 3 {
		s.submit(fmt.Sprint("low-", i), `,"priority":3`)
	}
	p.state("bad", "Queues are full", "New orders are refused with 503.")
	p.sees("[data-figure=waiting]", "3")
	p.shoot("full")
	s.post("/queues/low/resume", "")
	p.state("good", "All is well", "No order waits.")
}

// TestSentences says what is wrong and what to do, the worst first.
func TestSentences(t *testing.T) {
	s := start(t)
	p := s.open("")
	p.mayRefuse()
	specs := map[order.Queue]map[string]any{}
	for _, q := range order.QueueSpecs() {
		specs[q.Name] = map[string]any{"paused": false, "active": 0, "oldest_pending_seconds": 0, "memory_percent": q.MemoryPercent}
	}
	queues, err := json.Marshal(specs)
	if err != nil {
		t.Fatal(err)
	}
	calm := `const queues = ` + string(queues) + `;
		const stats = { queues, queue_length: 0, active_workers: 1,
			throughput_per_second: 0, ledger: { drift: 0 }, redis: { memory_used_bytes: 50, memory_limit_bytes: 100 } };
		const seen = { stats, health: {}, trouble: null };`
	for change, want := range map[string]string{
		`seen.stats = null`: "unknown: Loading …",
		``:                  "good: All is well No order waits. 1 slot ready for orders.",
		`stats.queues.low.active = 2; stats.queue_length = 5`:                                              "good: All is well 0 orders settled a second, 5 waiting, 2 in work.",
		`stats.queues.low.oldest_pending_seconds = 61; stats.queues.critical.oldest_pending_seconds = 130`: "warn: Orders wait long The oldest in critical has waited for 2 min 10 s.",
		`stats.queues.low.paused = true; stats.queues.low.oldest_pending_seconds = 61`:                     "warn: A queue is paused: low",
		`stats.queues.low.paused = stats.queues.default.paused = true`:                                     "warn: Queues are paused: default, low",
		`stats.redis.memory_used_bytes = 61; stats.queues.low.paused = true`:                               "warn: Redis is short of memory 61 % of its limit is used. New orders are refused: critical above 80 %, default above 70 %, low above 60 %.",
		`stats.redis = { memory_used_bytes: 61, memory_limit_bytes: 0 }`:                                   "good: All is well",
		`stats.ledger.drift = -1; stats.redis.memory_used_bytes = 61`:                                      "bad: The books do not balance The drift is -1",
		`seen.trouble = { status: 0 }`:                                                                     "bad: Reconnecting …",
		`seen.trouble = { status: 401, message: "Who?" }`:                                                  "bad: Access denied Who? This page needs the scope read.",
		`seen.trouble = { status: 429, message: "Wait." }`:                                                 "warn: Too many requests Wait.",
		`seen.trouble = { status: 500, message: "Oh." }`:                                                   "bad: The figures cannot be read Oh.",
		`seen.trouble = { status: 503 }; seen.health.reason = "Redis is unavailable"`:                      "bad: Redis is unavailable Nothing is accepted",
		`seen.health.reason = "no worker is alive"; stats.ledger.drift = 1`:                                "bad: No worker is alive",
		`seen.health.reason = "the queues are full"`:                                                       "bad: Queues are full New orders are refused with 503.",
		`seen.health.reason = "the state of the orders could not be read"`:                                 "bad: The state of the orders could not be read Orders are not accepted or not processed.",
	} {
		got := p.awaited(`(async () => {
			const { stateOf } = await import(document.querySelector("script[src]").src.replace("main.js", "state.js"));
			` + calm + change + `
			const { level, words, detail } = stateOf(seen);
			return level + ": " + words + " " + detail;
		})()`)
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s says %q; want %q", change, got, want)
		}
	}
}
