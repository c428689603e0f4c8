package chaos_test

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/redistest"
)

// writeFault is one fault at a write.
type writeFault struct {
	drop  bool // lost on its way; otherwise its reply is
	times int  // in a row: go-redis itself tries three times
}

// plan returns the faults that every kind of write meets, one after the other. The first
// write of a kind passes, and one between two faults.
func plan() []writeFault {
	return shortOrLong([]writeFault{{true, 1}, {false, 1}}, []writeFault{{true, 1}, {false, 1}, {true, 3}, {false, 3}})
}

// write is one kind of write of one program.
type write struct {
	shape  string // of the first run
	step   int    // of the plan, which is next
	passes int    // how many are let through before it
}

// writeBreaker breaks each kind of write that passes a proxy, in each way. It learns
// the kinds from what passes.
type writeBreaker struct {
	program string
	plan    []writeFault
	kinds   *writeKinds
	mu      sync.Mutex
	writes  map[string]*write
	again   map[string]writeFault // commands whose repeats are broken as well
	hits    func()
}

// breakWrites puts a proxy in front of Redis that breaks writes, and returns its URL.
func (s *system) breakWrites(program string, kinds *writeKinds) (string, *writeBreaker) {
	s.t.Helper()
	b := &writeBreaker{
		program: program, plan: plan(), kinds: kinds, writes: map[string]*write{}, again: map[string]writeFault{},
		hits: func() { s.faults.Add(1) },
	}
	return "redis://" + openProxy(s.t, s.redis.URL(), b.judge), b
}

// judge decides whether a command passes.
func (b *writeBreaker) judge(command message) *trap {
	args := command.arguments()
	key := b.kinds.kind(args)
	if key == "" {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if more, ok := b.again[string(command)]; ok {
		return b.repeat(string(command), more)
	}
	w := b.writes[key]
	if w == nil {
		w = &write{shape: shapeOf(args), passes: 1}
		b.writes[key] = w
	}
	if w.passes > 0 || w.step == len(b.plan) {
		w.passes--
		return nil
	}
	step := w.step
	next := b.plan[step]
	return &trap{drop: next.drop, then: func() { b.sprung(w, step, string(command)) }}
}

// repeat breaks a command again, as often as the plan says.
func (b *writeBreaker) repeat(command string, more writeFault) *trap {
	b.hits()
	if more.times--; more.times == 0 {
		delete(b.again, command)
	} else {
		b.again[command] = more
	}
	return &trap{drop: more.drop, then: func() {}}
}

// sprung moves on in the plan once a fault has been made.
func (b *writeBreaker) sprung(w *write, step int, command string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hits()
	if w.step != step {
		return
	}
	if done := b.plan[step]; done.times > 1 {
		b.again[command] = writeFault{drop: done.drop, times: done.times - 1}
	}
	w.step++
	w.passes = 1 // the repeat by go-redis
}

// open lists the kinds of writes that have not met the whole plan.
func (b *writeBreaker) open() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var open []string
	for key, w := range b.writes {
		if w.step < len(b.plan) && b.kinds.isWrite(key) {
			open = append(open, fmt.Sprintf("%s: %s (%d of %d)", b.program, b.kinds.name(key, w), w.step, len(b.plan)))
		}
	}
	slices.Sort(open)
	return open
}

// broken lists the kinds of writes that have.
func (b *writeBreaker) broken() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	names := map[string]bool{}
	for key, w := range b.writes {
		if w.step == len(b.plan) {
			names[b.kinds.name(key, w)] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// TestWriteBreaker runs a script again and again, and wants runs to break as planned.
func TestWriteBreaker(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		plan []writeFault
		want []string // answers; each that is missing broke
	}{
		"dropped, then unheard": {[]writeFault{{true, 1}, {false, 1}}, []string{"1", "", "2", "", "4", "5"}},
		"unheard three times":   {[]writeFault{{false, 3}}, []string{"1", "", "", "", "5", "6"}},
		"dropped three times":   {[]writeFault{{true, 3}}, []string{"1", "", "", "", "2", "3"}},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			s := &system{t: t, redis: server, rdb: server.Client()}
			url, b := s.breakWrites("test", readWriteKinds(s))
			b.plan = row.plan
			c := dial(t, url)
			increment := redis.NewScript(`return redis.call('INCR', KEYS[1])`)
			if err := increment.Load(t.Context(), c).Err(); err != nil {
				t.Fatal(err)
			}
			var got []string
			for range row.want {
				got = append(got, redisText(increment.Run(t.Context(), c, []string{"n"})))
			}
			if diff := cmp.Diff(row.want, got); diff != "" || len(b.broken()) != 1 || len(b.open()) != 0 {
				t.Errorf("broken %v, open %v, answers (-want +got):\n%s", b.broken(), b.open(), diff)
			}
		})
	}
}

// dial returns a client that tries each command once.
func dial(t *testing.T, url string) *redis.Client {
	t.Helper()
	opts, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	opts.MaxRetries, opts.DialerRetries = -1, 1
	c := redis.NewClient(opts)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// redisText is the answer as text, empty after an error.
func redisText(c *redis.Cmd) string {
	if c.Err() != nil {
		return ""
	}
	return fmt.Sprint(c.Val())
}
