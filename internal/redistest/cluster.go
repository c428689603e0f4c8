package redistest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/programtest"
)

const (
	// nodeTimeout is after how many milliseconds without an answer nodes take another for
	// failed. A replica follows one to two seconds later.
	nodeTimeout = "2000"
	// clusterMasters is how many masters a Cluster begins with, each with one replica.
	clusterMasters = 3
	// clusterSlots is how many slots a Cluster has.
	clusterSlots = 16384
	// hangTime bounds a command to a node that may be frozen.
	hangTime = 10 * time.Second
	// movedAtOnce is how many keys are moved by one command, which blocks both nodes.
	movedAtOnce = 5
)

// Cluster is a Redis Cluster on loopback: three masters, which share the slots, and a
// replica of each. Its methods fail the test on errors and are not safe for concurrent
// use.
type Cluster struct {
	tb       testing.TB
	settings []string
	nodes    []*Node
}

// Node is one server of a Cluster. Kill, Restart, Freeze and Thaw are those of Server.
type Node struct {
	*Server
	// Addr is the host:port for clients.
	Addr string
	// Redis is a client of this node alone, which follows no redirection.
	Redis *redis.Client
	id    string
	bus   string // the port for other nodes
}

// StartCluster starts the six servers, and waits until each knows all others and every
// replica is in step. Extra arguments are settings of all servers, as of Start. A slot
// whose master is away does not keep the nodes from serving the others.
func StartCluster(tb testing.TB, settings ...string) *Cluster {
	tb.Helper()
	c := &Cluster{tb: tb, settings: settings}
	for range 2 * clusterMasters {
		c.startNode()
	}
	for n, node := range c.nodes {
		node.do("CLUSTER", "SET-CONFIG-EPOCH", n+1)
		for _, other := range c.nodes[:n] {
			node.meet(other)
		}
	}
	masters := c.nodes[:clusterMasters]
	for n, node := range masters {
		first, last := n*clusterSlots/len(masters), (n+1)*clusterSlots/len(masters)-1
		if err := node.Redis.ClusterAddSlotsRange(tb.Context(), first, last).Err(); err != nil {
			tb.Fatal(err)
		}
	}
	c.awaitKnown()
	for n, node := range masters {
		c.Replicate(c.nodes[clusterMasters+n], node)
	}
	for _, node := range c.nodes {
		node.awaitInfo("cluster_state:ok")
	}
	return c
}

// startNode starts a server that belongs to no Cluster yet.
func (c *Cluster) startNode() *Node {
	c.tb.Helper()
	ports := programtest.FreePorts(c.tb, 2)
	s := Start(c.tb, append([]string{
		"--bind", "127.0.0.1", "--port", ports[0], "--cluster-port", ports[1], "--cluster-enabled", "yes",
		"--cluster-node-timeout", nodeTimeout, "--cluster-require-full-coverage", "no",
		"--cluster-allow-replica-migration", "no", // nodes change their roles by a failover alone
		"--repl-diskless-sync-delay", "0",
	}, c.settings...)...)
	n := &Node{Server: s, Addr: "127.0.0.1:" + ports[0], Redis: s.Client(), bus: ports[1]}
	n.id = n.do("CLUSTER", "MYID")
	c.nodes = append(c.nodes, n)
	return n
}

// awaitKnown waits until every node knows all others.
func (c *Cluster) awaitKnown() {
	c.tb.Helper()
	for _, node := range c.nodes {
		node.awaitInfo("cluster_known_nodes:" + strconv.Itoa(len(c.nodes)))
	}
	for _, node := range c.nodes {
		programtest.Until(c.tb, "no node is in handshake", func() bool {
			return !strings.Contains(node.do("CLUSTER", "NODES"), "handshake")
		})
	}
}

// AddNode starts one more server, a master without slots that all others know.
func (c *Cluster) AddNode() *Node {
	c.tb.Helper()
	n := c.startNode()
	for _, other := range c.nodes {
		if other != n {
			n.meet(other)
		}
	}
	c.awaitKnown()
	n.awaitInfo("cluster_state:ok")
	return n
}

// Replicate makes a node that has no slots a replica, and waits until it is in step.
func (c *Cluster) Replicate(replica, master *Node) {
	c.tb.Helper()
	replica.do("CLUSTER", "REPLICATE", master.id)
	c.AwaitReplica(master)
}

// AwaitReplica waits until a master has a replica that is in step.
func (c *Cluster) AwaitReplica(master *Node) {
	c.tb.Helper()
	programtest.Until(c.tb, "a replica is in step", func() bool {
		return strings.Contains(master.Redis.Info(c.tb.Context(), "replication").Val(), "state=online")
	})
}

// InStep stops the writes of a master for the rest of the test, and waits until its
// replicas have what it has: what it has answered survives it. Replication is
// asynchronous, and a kill between answer and replication would lose the write.
func (c *Cluster) InStep(master *Node) {
	c.tb.Helper()
	master.do("CLIENT", "PAUSE", patience.Milliseconds(), "WRITE")
	programtest.Until(c.tb, "the replicas are in step", func() bool {
		info := master.Redis.InfoMap(c.tb.Context(), "replication").Val()["Replication"]
		for name, replica := range info {
			if strings.HasPrefix(name, "slave") && !strings.Contains(replica, ",offset="+info["master_repl_offset"]+",") {
				return false
			}
		}
		return info["connected_slaves"] != "0"
	})
}

// URL returns the address of the Cluster for REDIS_URL. It names the first three nodes.
func (c *Cluster) URL() string {
	return fmt.Sprintf("redis://%s?addr=%s&addr=%s", c.nodes[0].Addr, c.nodes[1].Addr, c.nodes[2].Addr)
}

// Client returns a client of the Cluster that closes with the test. It repeats what fails
// while a master is away.
func (c *Cluster) Client() *redis.ClusterClient {
	c.tb.Helper()
	opts, err := redis.ParseClusterURL(c.URL())
	if err != nil {
		c.tb.Fatal(err)
	}
	opts.ClusterStateReloadInterval = 100 * time.Millisecond
	opts.MaxRedirects = 1000
	opts.ContextTimeoutEnabled = true
	opts.ReadTimeout, opts.PoolTimeout = hangTime, patience
	rdb := redis.NewClusterClient(opts)
	c.tb.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// Nodes returns all nodes, in the order in which they were started.
func (c *Cluster) Nodes() []*Node { return slices.Clone(c.nodes) }

// Owner returns the master that has the slot of a key. It waits until all nodes that
// answer agree.
func (c *Cluster) Owner(key string) *Node {
	c.tb.Helper()
	slot := c.slot(key)
	var owner *Node
	programtest.Until(c.tb, "all nodes agree which of them has the slot", func() bool {
		owner = nil
		for _, node := range c.answering() {
			now := c.ownerBy(node, slot)
			if now == nil || owner != nil && now != owner {
				return false
			}
			owner = now
		}
		return owner != nil
	})
	return owner
}

// Masters returns the masters that answer and have slots.
func (c *Cluster) Masters() []*Node {
	c.tb.Helper()
	return slices.DeleteFunc(c.answering(), func(n *Node) bool {
		own := n.self()
		return !strings.Contains(own, "myself,master") || len(strings.Fields(own)) <= fieldsBeforeSlots
	})
}

// Replicas returns the nodes that answer and are replicas of this master.
func (c *Cluster) Replicas(master *Node) []*Node {
	c.tb.Helper()
	return slices.DeleteFunc(c.answering(), func(n *Node) bool {
		return !strings.Contains(n.self(), "myself,slave "+master.id)
	})
}

// fieldsBeforeSlots is how many fields a line of CLUSTER NODES has before the slots.
const fieldsBeforeSlots = 8

// self returns the line of CLUSTER NODES about the node itself.
func (n *Node) self() string {
	n.tb.Helper()
	for line := range strings.Lines(n.do("CLUSTER", "NODES")) {
		if strings.Contains(line, "myself") {
			return line
		}
	}
	return ""
}

// ownerBy returns the node that has a slot in the view of another, nil if it knows none.
func (c *Cluster) ownerBy(node *Node, slot int) *Node {
	ranges, _ := node.Redis.ClusterSlots(c.tb.Context()).Result() //nolint:staticcheck // Redis 6.2 has no CLUSTER SHARDS
	for _, r := range ranges {
		if r.Start <= slot && slot <= r.End && len(r.Nodes) > 0 {
			i := slices.IndexFunc(c.nodes, func(n *Node) bool { return n.id == r.Nodes[0].ID })
			return c.nodes[i]
		}
	}
	return nil
}

func (c *Cluster) slot(key string) int {
	c.tb.Helper()
	slot, err := strconv.Atoi(c.answering()[0].do("CLUSTER", "KEYSLOT", key))
	if err != nil {
		c.tb.Fatal(err)
	}
	return slot
}

// answering returns the nodes that are neither killed nor frozen.
func (c *Cluster) answering() []*Node {
	return slices.DeleteFunc(c.Nodes(), func(n *Node) bool { return n.away })
}

// AwaitFailover waits until a replica has the slots of a master that is away, and every
// node that answers knows. It returns the new master.
func (c *Cluster) AwaitFailover(of *Node, key string) *Node {
	c.tb.Helper()
	var now *Node
	programtest.Until(c.tb, "a replica has the slots of its master", func() bool {
		now = c.Owner(key)
		return now != of
	})
	return now
}

// Move moves the slot of a key to another master, with all that is in it, key by key
// while clients use it, as redis-cli does.
func (c *Cluster) Move(key string, to *Node) {
	c.tb.Helper()
	slot, from := c.slot(key), c.Owner(key)
	to.do("CLUSTER", "SETSLOT", slot, "IMPORTING", from.id)
	from.do("CLUSTER", "SETSLOT", slot, "MIGRATING", to.id)
	host, port, _ := strings.Cut(to.Addr, ":")
	for {
		keys, err := from.Redis.ClusterGetKeysInSlot(c.tb.Context(), slot, movedAtOnce).Result()
		if err != nil {
			c.tb.Fatal(err)
		}
		if len(keys) == 0 {
			break
		}
		args := []any{"MIGRATE", host, port, "", 0, patience.Milliseconds(), "KEYS"}
		for _, k := range keys {
			args = append(args, k)
		}
		from.do(args...)
	}
	to.do("CLUSTER", "SETSLOT", slot, "NODE", to.id) // first, so that the slot always has an owner
	from.do("CLUSTER", "SETSLOT", slot, "NODE", to.id)
	c.Owner(key)
}

// SetConfig changes a setting.
func (n *Node) SetConfig(name, value string) {
	n.tb.Helper()
	n.do("CONFIG", "SET", name, value)
}

// meet makes two nodes know each other.
func (n *Node) meet(other *Node) {
	host, port, _ := strings.Cut(other.Addr, ":")
	n.do("CLUSTER", "MEET", host, port, other.bus)
}

// do sends a command to this node and returns its answer as a text.
func (n *Node) do(args ...any) string {
	n.tb.Helper()
	answer, err := n.Redis.Do(context.WithoutCancel(n.tb.Context()), args...).Result()
	if err != nil {
		n.tb.Fatalf("%v: %v", args, err)
	}
	return fmt.Sprint(answer)
}

// awaitInfo waits until CLUSTER INFO has a line.
func (n *Node) awaitInfo(line string) {
	n.tb.Helper()
	programtest.Until(n.tb, "a node has "+line, func() bool { return strings.Contains(n.do("CLUSTER", "INFO"), line+"\r\n") })
}
