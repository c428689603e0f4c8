package chaos_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
)

const (
	// masterName is how the Sentinels call the Redis that they watch.
	masterName = "orders"
	// sentinels is how many there are; two of them must agree.
	sentinels = 3
)

// sentinelRedis is a Redis with two replicas and the Sentinels that watch it.
type sentinelRedis struct {
	t     *testing.T
	nodes []*redistest.Server // the first one begins as the master
	ports []string
	watch []string // addresses of the Sentinels
}

// openSentinelRedis starts everything and waits until the Sentinels know each other and
// the replicas are in step. It ends with the test.
func openSentinelRedis(t *testing.T) *sentinelRedis {
	t.Helper()
	w := &sentinelRedis{t: t, ports: programtest.FreePorts(t, 3+sentinels)}
	for n, port := range w.ports[:3] {
		settings := []string{
			"--bind", "127.0.0.1", "--port", port, "--appendonly", "yes", "--appendfsync", "everysec",
			"--min-replicas-to-write", "1", "--repl-diskless-sync-delay", "0",
		}
		if n > 0 {
			settings = append(settings, "--replicaof", "127.0.0.1", w.ports[0])
		}
		w.nodes = append(w.nodes, redistest.Start(t, settings...))
	}
	w.await("two replicas are in step", w.nodes[0].Client(), "replication", "min_slaves_good_slaves", "2")
	for _, port := range w.ports[3:] {
		w.startSentinel(port)
	}
	for _, addr := range w.watch {
		c := redis.NewClient(&redis.Options{Addr: addr})
		t.Cleanup(func() { _ = c.Close() })
		w.await("the Sentinels know each other", c, "sentinel", "master0", "slaves=2,sentinels=3")
	}
	return w
}

// await waits until one line of INFO has a text in its value.
func (w *sentinelRedis) await(what string, c *redis.Client, section, name, text string) {
	w.t.Helper()
	info := ""
	if !programtest.Poll(patience, func() bool {
		info = c.Info(w.t.Context(), section).Val()
		for line := range strings.Lines(info) {
			key, value, _ := strings.Cut(line, ":")
			if key == name && strings.Contains(value, text) {
				return true
			}
		}
		return false
	}) {
		w.t.Fatalf("gave up waiting until %s:\n%s", what, info)
	}
}

// startSentinel starts one Sentinel, which keeps what it learns in its
// configuration.
func (w *sentinelRedis) startSentinel(port string) {
	w.t.Helper()
	path := filepath.Join(w.t.TempDir(), "sentinel.conf")
	text := fmt.Sprintf("port %[1]s\nbind 127.0.0.1\ndir %[2]s\n"+
		"sentinel monitor %[3]s 127.0.0.1 %[4]s 2\nsentinel down-after-milliseconds %[3]s %[5]d\n"+
		"sentinel failover-timeout %[3]s 5000\nsentinel parallel-syncs %[3]s 2\n", port, filepath.Dir(path), masterName, w.ports[0], shortOrLong(5000, 1000))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	programtest.Start(w.t, programtest.Config{Path: "redis-server", Args: []string{path, "--sentinel"}})
	w.watch = append(w.watch, "127.0.0.1:"+port)
}

// url is the address for programs.
func (w *sentinelRedis) url() string {
	return fmt.Sprintf("redis://%s/0?master_name=%s&addr=%s&addr=%s", w.watch[0], masterName, w.watch[1], w.watch[2])
}

// promoted waits until one of the replicas is the master and returns it.
func (w *sentinelRedis) promoted(s *system) *redistest.Server {
	w.t.Helper()
	clients := []*redis.Client{w.nodes[1].Client(), w.nodes[2].Client()}
	var master *redistest.Server
	s.until("a replica is the master", patience, func() bool {
		for n, c := range clients {
			if strings.Contains(c.Info(w.t.Context(), "replication").Val(), "role:master") {
				master = w.nodes[n+1]
				return true
			}
		}
		return false
	})
	return master
}
