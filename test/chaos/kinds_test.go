package chaos_test

import (
	"crypto/sha1"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

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
