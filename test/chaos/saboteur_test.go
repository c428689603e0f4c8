package chaos_test

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	known   *scripts
	mu      sync.Mutex
	writes  map[string]*write
	again   map[string]breakage // commands whose repeats are broken as well
	hits    func()
}

// scripts names the scripts by their digests. All saboteurs of one Redis share
// it: a script shows its source once.
type scripts struct {
	writing map[string]bool   // the commands of Redis that write
	sources map[string]string // our scripts by their name
	mu      sync.Mutex
	names   map[string]string
}

// knowScripts reads our scripts, and asks Redis which commands write.
func knowScripts(s *system) *scripts {
	s.t.Helper()
	k := &scripts{writing: map[string]bool{}, sources: map[string]string{}, names: map[string]string{}}
	commands, err := s.rdb.Command(s.t.Context()).Result()
	if err != nil {
		s.t.Fatal(err)
	}
	for name, info := range commands {
		k.writing[name] = slices.Contains(info.Flags, "write")
	}
	files, err := filepath.Glob("../../internal/*/scripts/*.lua")
	if err != nil || len(files) == 0 {
		s.t.Fatalf("there are no scripts: %v", err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			s.t.Fatal(err)
		}
		k.sources[strings.TrimSuffix(filepath.Base(file), ".lua")] = string(source)
	}
	return k
}

// sabotage puts a proxy with a saboteur before Redis, and returns both its URL and
// the saboteur.
func (s *system) sabotage(program string, known *scripts) (string, *saboteur) {
	s.t.Helper()
	b := &saboteur{
		program: program, known: known, writes: map[string]*write{}, again: map[string]breakage{},
		hits: func() { s.faults.Add(1) },
	}
	p := openProxy(s.t, s.redis.URL())
	p.judge = b.judge
	return p.URL(), b
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
	if w.passes > 0 || w.step == len(plan()) {
		w.passes--
		return nil
	}
	step := w.step
	next := plan()[step]
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
	if done := plan()[step]; done.times > 1 {
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
		if w.step < len(plan()) && b.known.writes(key) != "" {
			open = append(open, fmt.Sprintf("%s: %s (%d of %d)", b.program, b.known.name(key, w), w.step, len(plan())))
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
		if w.step == len(plan()) {
			names[b.known.name(key, w)] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// kind tells one kind of write from all others; empty for what only reads. A
// script is one kind. Those of Asynq that only read count as well.
func (k *scripts) kind(args []string) string {
	if len(args) < 2 {
		return ""
	}
	switch command := strings.ToLower(args[0]); {
	case command == "evalsha":
		return k.writes(args[1])
	case command == "eval":
		sum := digestOf(args[1])
		k.learn(sum, args[1])
		return k.writes(sum)
	case command == "script" && len(args) == 3 && strings.EqualFold(args[1], "load"):
		k.learn(digestOf(args[2]), args[2])
		return ""
	case k.writing[command]:
		return shapeOf(args)
	default:
		return ""
	}
}

// digestOf is how Redis calls a script.
func digestOf(source string) string {
	digest := sha1.Sum([]byte(source))
	return hex.EncodeToString(digest[:])
}

// writes returns the digest, but for scripts of ours that only read.
func (k *scripts) writes(sum string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if onlyReads(k.names[sum]) {
		return ""
	}
	return sum
}

// onlyReads says whether a file is no script that writes.
func onlyReads(name string) bool { return name == "list" || name == "totals" || name == "prelude" }

func (k *scripts) learn(sum, source string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for name, text := range k.sources {
		if strings.HasSuffix(source, text) {
			k.names[sum] = name
		}
	}
}

// name is what a kind of write is called.
func (k *scripts) name(key string, w *write) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if name, ours := k.names[key]; ours {
		return name + ".lua"
	}
	return w.shape
}

// shapeOf is a command with the kinds of its keys, without ids.
func shapeOf(args []string) string {
	keys := args[1:2]
	if scripted := scriptKeysOf(args); scripted != nil {
		keys = scripted
	}
	parts := []string{strings.ToUpper(args[0])}
	for _, key := range keys {
		parts = append(parts, kindOfKey(key))
	}
	return strings.Join(parts, " ")
}

func kindOfKey(key string) string {
	parts := strings.Split(key, ":")
	switch {
	case len(parts) > 1 && (parts[1] == "servers" || parts[1] == "workers"):
		return parts[0] + ":" + parts[1]
	case len(parts) > 2 && strings.HasPrefix(parts[1], "{") && parts[0] == "asynq":
		return parts[2]
	default:
		return strings.Join(parts[:min(len(parts), 3)], ":")
	}
}
