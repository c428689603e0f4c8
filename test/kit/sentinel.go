package kit

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

// Deployment is the folder of the examples, seen from a package of tests.
const Deployment = "../../deploy"

// Example copies a file of the examples into a folder, makes each pair of changes, and
// returns the path of the copy. A change that finds nothing ends the test.
func Example(tb testing.TB, name, into string, changes ...string) string {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(Deployment, name))
	if err != nil {
		tb.Fatal(err)
	}
	for n := 0; n < len(changes); n += 2 {
		if !strings.Contains(string(text), changes[n]) {
			tb.Fatalf("%s has no %q to replace", name, changes[n])
		}
	}
	path := filepath.Join(into, strings.ReplaceAll(name, "/", "-"))
	if err := os.WriteFile(path, []byte(strings.NewReplacer(changes...).Replace(string(text))), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// Sentinels are three Redis servers and the three Sentinels that watch them.
type Sentinels struct {
	// Nodes are the servers, of which the first begins as the primary.
	Nodes []*programtest.TestProcess
	// Clients are clients of the nodes.
	Clients []*redis.Client
	// URL is the REDIS_URL of programs.
	URL string
}

// StartSentinels starts servers and Sentinels from the examples. It waits until the
// Sentinels know each other and the replicas are in step. Changes are made to the
// example of Sentinel, as by Example.
func StartSentinels(tb testing.TB, changes ...string) *Sentinels {
	tb.Helper()
	ports := programtest.FreePorts(tb, 6)
	s := &Sentinels{URL: fmt.Sprintf("redis://127.0.0.1:%s/0?master_name=orders&addr=127.0.0.1:%s&addr=127.0.0.1:%s", ports[3], ports[4], ports[5])}
	for n, port := range ports[:3] {
		dir := tb.TempDir()
		conf := Example(tb, "sentinel/redis.conf", dir, "bind * -::*", "bind 127.0.0.1", "\nport 6379", "\nport "+port,
			"dir /var/lib/redis", "dir "+dir, "include /etc/redis/redis.conf", "include "+Example(tb, "redis.conf", dir))
		args := []string{conf, "--repl-diskless-sync-delay", "0"}
		if n > 0 {
			args = append(args, "--replicaof", "127.0.0.1", ports[0])
		}
		s.Nodes = append(s.Nodes, programtest.Start(tb, programtest.Config{Path: redistest.Program(), Args: args}))
		s.Clients = append(s.Clients, redisAt(tb, port))
	}
	awaitInfo(tb, "two replicas are in step", s.Clients[0], "replication", "min_slaves_good_slaves:2")
	for _, port := range ports[3:] {
		dir := tb.TempDir()
		conf := Example(tb, "sentinel/sentinel.conf", dir, append(changes, "bind * -::*", "bind 127.0.0.1", "\nport 26379", "\nport "+port,
			"dir /var/lib/redis", "dir "+dir, "orders redis-1 6379", "orders 127.0.0.1 "+ports[0])...)
		programtest.Start(tb, programtest.Config{Path: redistest.Program(), Args: []string{conf, "--sentinel"}})
	}
	for _, port := range ports[3:] {
		awaitInfo(tb, "the Sentinels know each other", redisAt(tb, port), "sentinel", "slaves=2,sentinels=3")
	}
	return s
}

// Promoted waits until one replica is the primary, and returns its client. Two primaries
// fail the test.
func (s *Sentinels) Promoted(tb testing.TB) *redis.Client {
	tb.Helper()
	var primaries []*redis.Client
	programtest.Until(tb, "a replica is the primary", func() bool {
		primaries = nil
		for _, c := range s.Clients[1:] {
			if strings.Contains(c.Info(tb.Context(), "replication").Val(), "role:master") {
				primaries = append(primaries, c)
			}
		}
		return len(primaries) > 0
	})
	if len(primaries) > 1 {
		tb.Errorf("there are %d primaries", len(primaries))
	}
	return primaries[0]
}

func redisAt(tb testing.TB, port string) *redis.Client {
	tb.Helper()
	c := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + port, DisableIdentity: true, ReadTimeout: programtest.Patience})
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

// awaitInfo waits until INFO has a text.
func awaitInfo(tb testing.TB, what string, c *redis.Client, section, text string) {
	tb.Helper()
	programtest.Until(tb, what, func() bool { return strings.Contains(c.Info(tb.Context(), section).Val(), text) })
}
