package deploy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/programtest"
)

// TestSentinel starts three Redis servers and three Sentinels from the examples,
// kills the primary while orders are worked, and holds that the programs follow
// and that no accepted order is lost.
func TestSentinel(t *testing.T) {
	t.Parallel()
	c := startSentinels(t)
	f := startSystem(t, 2, "REDIS_URL="+c.url())
	const before, after = 100, 100
	for n := range before {
		f.submit(fmt.Sprintf("before-%d", n))
	}
	// What a primary has not handed on dies with it. So all of it has left.
	if n := c.clients[0].Wait(t.Context(), 2, programtest.Patience).Val(); n != 2 {
		t.Fatalf("%d replicas have what the primary has", n)
	}
	c.nodes[0].Kill()
	killed := time.Now()
	f.submit("after-0")
	t.Logf("the first order after the failover was accepted %v after the kill", time.Since(killed).Round(time.Millisecond))
	for n := range after {
		f.submit(fmt.Sprintf("after-%d", n))
	}
	for n := range before {
		f.settle(fmt.Sprintf("before-%d", n))
	}
	for n := range after {
		f.settle(fmt.Sprintf("after-%d", n))
	}
	c.promoted()
	if _, text := f.get("/stats"); !strings.Contains(text, `"drift":0`) || !strings.Contains(text, fmt.Sprintf(`"accepted":%d`, before+after)) {
		t.Errorf("the books do not balance: %s", text)
	}
}

// cluster is what Sentinel watches, and the Sentinels.
type cluster struct {
	t        *testing.T
	nodes    []*programtest.TestProcess // the first one begins as the primary
	clients  []*redis.Client
	sentinel []string // ports
}

// startSentinels starts everything and waits until the Sentinels know each other
// and the replicas are in step.
func startSentinels(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t}
	ports := programtest.FreePorts(t, 6)
	c.sentinel = ports[3:]
	for n, port := range ports[:3] {
		dir := t.TempDir()
		base := example(t, "redis.conf", dir)
		conf := example(t, "sentinel/redis.conf", dir, "bind * -::*", "bind 127.0.0.1", "\nport 6379", "\nport "+port,
			"dir /var/lib/redis", "dir "+dir, "include /etc/redis/redis.conf", "include "+base)
		args := []string{conf}
		if n > 0 {
			args = append(args, "--replicaof", "127.0.0.1", ports[0])
		}
		c.nodes = append(c.nodes, start(t, nil, "redis-server", args...))
		c.clients = append(c.clients, c.client(port))
	}
	c.await("two replicas are in step", c.clients[0], "replication", "min_slaves_good_slaves:2")
	for _, port := range c.sentinel {
		dir := t.TempDir()
		conf := example(t, "sentinel/sentinel.conf", dir, "bind * -::*", "bind 127.0.0.1", "\nport 26379", "\nport "+port,
			"dir /var/lib/redis", "dir "+dir, "orders redis-1 6379", "orders 127.0.0.1 "+ports[0])
		start(t, nil, "redis-server", conf, "--sentinel")
	}
	for _, port := range c.sentinel {
		c.await("the Sentinels know each other", c.client(port), "sentinel", "slaves=2,sentinels=3")
	}
	return c
}

func (c *cluster) client(port string) *redis.Client {
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + port, DisableIdentity: true, ReadTimeout: programtest.Patience})
	c.t.Cleanup(func() { _ = client.Close() })
	return client
}

// await waits until INFO has a text.
func (c *cluster) await(what string, client *redis.Client, section, text string) {
	c.t.Helper()
	programtest.Until(c.t, what, func() bool { return strings.Contains(client.Info(c.t.Context(), section).Val(), text) })
}

// url is the REDIS_URL that the head of the example names, with these ports.
func (c *cluster) url() string {
	return fmt.Sprintf("redis://127.0.0.1:%s/0?master_name=orders&addr=127.0.0.1:%s&addr=127.0.0.1:%s", c.sentinel[0], c.sentinel[1], c.sentinel[2])
}

// promoted fails the test unless one of the replicas is the primary now.
func (c *cluster) promoted() {
	c.t.Helper()
	primaries := 0
	for _, client := range c.clients[1:] {
		primaries += strings.Count(client.Info(c.t.Context(), "replication").Val(), "role:master")
	}
	if primaries != 1 {
		c.t.Errorf("there are %d primaries", primaries)
	}
}
