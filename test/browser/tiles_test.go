package browser_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
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
	p.state("bad", "No worker is alive", "Orders are accepted and wait.")
	s.worker()
	p.tile("workers", "1", "0 of 8 slots busy", "")
	stop := s.workerProcess()
	p.tile("workers", "2", "0 of 16 slots busy", "")
	p.state("good", "All is well", "No order waits. Free slots: 16.")
	p.visit("workers")
	p.sees("#workers-note", "2 processes, 0 of 16 slots busy")
	p.visit("")
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
	p.tile("memory", " MiB", "% of 2.0 MiB", "warning")
	p.state("bad", "Redis is nearly full", "All new orders are refused.")
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
	p.balanced()
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
	p.state("bad", "The books do not balance, by 3", "Another program changed keys, or Redis lost some.")
	p.readable()
	p.shoot("drift")
	close(restore)
	if err := <-falsified; err != nil {
		t.Fatal(err)
	}
	p.balanced()
	p.state("good", "All is well", "")
}

// balanced waits until the books balance: then they are no tile.
func (p *tab) balanced() {
	p.t.Helper()
	p.sees("#books", "the books balance")
	p.until(`!document.querySelector("[data-tile=drift]").checkVisibility()`)
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
	p.state("bad", "The queues are full", "New orders are refused with 503.")
	p.sees("[data-figure=waiting]", "3")
	p.shoot("full")
	s.post("/queues/low/resume", "")
	p.state("good", "All is well", "No order waits")
}

// TestSentences says what GET /health says, and only of what that cannot know something
// else.
func TestSentences(t *testing.T) {
	s := start(t)
	p := s.open("")
	p.mayRefuse()
	for change, want := range map[string]string{
		`seen.health = null; seen.stats = null`: "unknown: Loading …",
		`seen.health = null`:                    "unknown: The state is not known The API did not say it.",
		`delete seen.health.verdict`:            "unknown: The state is not known",
		``:                                      "good: All is well No order waits.",
		`verdict.also = ["Paused: low", "Orders wait long"]`:   "good: All is well No order waits. Also: Paused: low; Orders wait long.",
		`verdict.level = "warning"; verdict.cause = "late"`:    "warning: All is well No order waits.",
		`verdict.cause = "shop_failing"`:                       "good: All is well No order waits. The last error: refused",
		`verdict.cause = "shop_down"; delete stats.fulfilment`: "good: All is well No order waits.",
		`seen.trouble = { status: 0 }`:                         "bad: Reconnecting …",
		`seen.trouble = { status: 0 }; verdict.level = "bad"`:  "bad: All is well No order waits.",
		`seen.trouble = { status: 0 }; seen.health = null`:     "bad: Reconnecting …",
		`seen.trouble = { status: 401, message: "Who?" }`:      "bad: Access denied Who? This page needs the scope read.",
		`seen.trouble = { status: 429, message: "Wait." }`:     "warning: Too many requests Wait.",
		`seen.trouble = { status: 500, message: "Oh." }`:       "bad: The figures cannot be read Oh.",
	} {
		got := p.awaited(`(async () => {
			const { stateOf } = await import(document.querySelector("script[src]").src.replace("main.js", "state.js"));
			const verdict = { level: "good", what: "All is well", advice: "No order waits." };
			const stats = { fulfilment: { last_error: "refused" }, ledger: { drift: 7 } };
			const seen = { stats, health: { verdict }, trouble: null };
			` + change + `
			const { level, words, detail } = stateOf(seen);
			return level + ": " + words + " " + detail;
		})()`)
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s says %q; want %q", change, got, want)
		}
	}
}
