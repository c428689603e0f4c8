package chaos_test

import (
	"fmt"
	"maps"
	"slices"
	"sync"
)

// breakage is one fault at a write.
type breakage struct {
	drop  bool // lost on its way; otherwise its reply is
	times int  // in a row: go-redis itself tries three times
}

// plan is what every write meets, one after the other. The first of each kind and
// one between two faults pass.
func plan() []breakage {
	return pick([]breakage{{true, 1}, {false, 1}}, []breakage{{true, 1}, {false, 1}, {true, 3}, {false, 3}})
}

// write is one kind of write of one program.
type write struct {
	shape  string // of the first run
	step   int    // of the plan, which is next
	passes int    // how many are let through before it
}

// saboteur breaks each kind of write that passes a proxy, in each way. It learns
// the kinds from what passes.
type saboteur struct {
	program string
	plan    []breakage
	known   *scripts
	mu      sync.Mutex
	writes  map[string]*write
	again   map[string]breakage // commands whose repeats are broken as well
	hits    func()
}

// sabotage puts a proxy with a saboteur before Redis, and returns both its URL and
// the saboteur.
func (s *system) sabotage(program string, known *scripts) (string, *saboteur) {
	s.t.Helper()
	b := &saboteur{
		program: program, plan: plan(), known: known, writes: map[string]*write{}, again: map[string]breakage{},
		hits: func() { s.faults.Add(1) },
	}
	return openProxy(s.t, s.redis.URL(), b.judge).URL(), b
}

// judge decides whether a command passes.
func (b *saboteur) judge(command message) *trap {
	args := command.arguments()
	key := b.known.kind(args)
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
func (b *saboteur) repeat(command string, more breakage) *trap {
	b.hits()
	if more.times--; more.times == 0 {
		delete(b.again, command)
	} else {
		b.again[command] = more
	}
	return &trap{drop: more.drop}
}

// sprung goes on in the plan once a fault has been made.
func (b *saboteur) sprung(w *write, step int, command string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hits()
	if w.step != step {
		return
	}
	if done := b.plan[step]; done.times > 1 {
		b.again[command] = breakage{drop: done.drop, times: done.times - 1}
	}
	w.step++
	w.passes = 1 // the repeat by go-redis
}

// open lists the kinds of writes that have not met the whole plan.
func (b *saboteur) open() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var open []string
	for key, w := range b.writes {
		if w.step < len(b.plan) && b.known.writes(key) != "" {
			open = append(open, fmt.Sprintf("%s: %s (%d of %d)", b.program, b.known.name(key, w), w.step, len(b.plan)))
		}
	}
	slices.Sort(open)
	return open
}

// broken lists the kinds of writes that have.
func (b *saboteur) broken() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	names := map[string]bool{}
	for key, w := range b.writes {
		if w.step == len(b.plan) {
			names[b.known.name(key, w)] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
