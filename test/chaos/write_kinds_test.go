package chaos_test

import (
	"cmp"
	"crypto/sha1"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// writeKinds sorts commands into kinds of writes, and names scripts by their digests. All
// write breakers of one Redis share it, as a script passes with its source only once.
type writeKinds struct {
	writing map[string]bool   // the commands of Redis that write
	sources map[string]string // our scripts by their name
	mu      sync.Mutex
	names   map[string]string
}

// readWriteKinds reads our scripts, and asks Redis which commands write.
func readWriteKinds(s *system) *writeKinds {
	s.t.Helper()
	k := &writeKinds{writing: map[string]bool{}, sources: map[string]string{}, names: map[string]string{}}
	commands, err := s.rdb.Command(s.t.Context()).Result()
	if err != nil {
		s.t.Fatal(err)
	}
	for name, info := range commands {
		k.writing[name] = slices.Contains(info.Flags, "write")
	}
	files, _ := filepath.Glob("../../internal/*/scripts/*.lua")
	more, _ := filepath.Glob("../../internal/*/*/scripts/*.lua")
	if files = append(files, more...); len(files) == 0 {
		s.t.Fatal("there are no scripts")
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

// kind returns the kind of a write, empty for a command that only reads. Each script is
// one kind; scripts of Asynq that only read count as writes.
func (k *writeKinds) kind(args []string) string {
	if len(args) < 2 {
		return ""
	}
	switch command := strings.ToLower(args[0]); {
	case command == "evalsha":
		return k.writes(args[1], args)
	case command == "eval":
		sum := digestOf(args[1])
		k.learn(sum, args[1])
		return k.writes(sum, args)
	case command == "script" && len(args) == 3 && strings.EqualFold(args[1], "load"):
		k.learn(digestOf(args[2]), args[2])
		return ""
	case k.writing[command]:
		return shapeOf(args)
	default:
		return ""
	}
}

// digestOf returns the name of a script in Redis.
func digestOf(source string) string {
	digest := sha1.Sum([]byte(source))
	return hex.EncodeToString(digest[:])
}

// writes returns the digest, but for scripts of ours that only read. The step of the first
// order follows if the script has several.
func (k *writeKinds) writes(sum string, args []string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch name := k.names[sum]; {
	case name == severalSteps:
		const firstStep = 4 // of the arguments of an update, see prelude.lua
		return sum + " " + args[3+len(scriptKeysOf(args))+firstStep]
	case onlyReads(name):
		return ""
	default:
		return sum
	}
}

// isWrite reports whether a kind is one of writes. It may be known only since the source of
// its script has passed.
func (k *writeKinds) isWrite(key string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	sum, step, _ := strings.Cut(key, " ")
	return step != "" || !onlyReads(k.names[sum])
}

// severalSteps is the script whose steps are each a kind of write.
const severalSteps = "attempt"

// onlyReads reports whether a script of ours does not write, or is no kind of its own.
func onlyReads(name string) bool {
	return slices.Contains([]string{"list", "totals", "backlog", "now", "prelude", "entry", "below", "turn", "outcome", severalSteps}, name)
}

func (k *writeKinds) learn(sum, source string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for name, text := range k.sources {
		if strings.HasSuffix(source, text) {
			k.names[sum] = name
		}
	}
}

// name returns the name of a kind of write for people.
func (k *writeKinds) name(key string, w *write) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	sum, step, _ := strings.Cut(key, " ")
	if name, ours := k.names[sum]; ours {
		return cmp.Or(step, name) + ".lua"
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
