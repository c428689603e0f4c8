package app_test

import (
	"fmt"
	"strings"
	"testing"

	"orderprocessor/internal/app"
	"orderprocessor/internal/config"
	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	domain "orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
)

// TestCluster examines a Redis Cluster with sixteen books, and reads how their orders spread,
// until a primary and its replica are away.
func TestCluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, wellSet()...)
	rdb := cluster.Client()
	books := ledger.NewWith(rdb, ledger.Config{Books: 16})
	must(t, books.Fix(t.Context()))
	const orders = 300
	for i := range orders {
		_, _, err := ledgertest.Accept(t.Context(), books, ordertest.Order(t, ordertest.WithID(fmt.Sprint("o", i))), domain.QueueDefault)
		must(t, err)
	}

	var found map[string]app.Finding
	programtest.Until(t, "all books are read in time", func() bool {
		found = examine(t, cluster.URL())
		return found["books/drift"].State != app.FindingNotChecked
	})
	mustFind(t, found, "redis/nodes", app.FindingOK, `^3 primaries answer`)
	mustFind(t, found, "redis/coverage", app.FindingOK, ``)
	mustFind(t, found, "redis/eviction policy", app.FindingOK, `^(127\.0\.0\.1:\d+: noeviction(, )?){3} `)
	mustFind(t, found, "redis/replication", app.FindingWarning, `^(127\.0\.0\.1:\d+: 1 replicas, and writes need 0: \S[^,]*(, )?){3}`)
	mustFind(t, found, "books/number", app.FindingOK, `^16, as recorded`)
	mustFind(t, found, "books/spread", app.FindingOK, `^16 books on 3 nodes, at most 6 on one`)
	mustFind(t, found, "books/drift", app.FindingOK, `^0: all 300`)

	other, _ := app.Examine(t.Context(), redisAt(t, cluster.URL()), 8)
	if f := finding(other, "number"); f.State != app.FindingProblem || !strings.HasPrefix(f.Advice, "set ORDERS_BOOKS to 16") {
		t.Errorf("eight books are configured: %+v", f)
	}

	s := spread(t, cluster.URL())
	var accepted, byNode int64
	for _, b := range s.Books {
		accepted += b.Accepted
	}
	onNodes, queues := 0, 0
	for _, n := range s.Nodes {
		byNode, onNodes, queues = byNode+n.Accepted, onNodes+n.Books, queues+n.Queues
		if n.Away || n.MemoryUsed == 0 || n.MemoryLimit != 1<<30 {
			t.Errorf("node %+v", n)
		}
	}
	if accepted != orders || byNode != orders || onNodes != 16 || queues != 48 || s.Busiest.Accepted < 1 || s.Busiest.Accepted > 1.5 {
		t.Errorf("%d and %d orders on %d nodes with %d queues: %+v", accepted, byNode, onNodes, queues, s)
	}
	where, err := app.Locate(t.Context(), redisAt(t, cluster.URL()), []string{"o1"})
	must(t, err)
	if where[0].Node != cluster.Owner(fmt.Sprintf("orders:{b%d}:c", domain.BookOf("o1", 16))).Addr || len(where[0].Queues) != 3 {
		t.Errorf("o1 is at %+v", where)
	}

	must(t, cluster.Nodes()[1].Redis.ConfigSet(t.Context(), "maxmemory-policy", "allkeys-lru").Err())
	mustFind(t, examine(t, cluster.URL()), "redis/eviction policy", app.FindingProblem, `^`+cluster.Nodes()[1].Addr+`: redis may evict keys[^:]*: set maxmemory-policy to noeviction \(it is "allkeys-lru"\) \|`)
	must(t, cluster.Nodes()[1].Redis.ConfigSet(t.Context(), "maxmemory-policy", "noeviction").Err())

	lost := cluster.Owner("orders:{b3}:c")
	for _, replica := range cluster.Replicas(lost) {
		replica.Kill()
	}
	lost.Kill()
	programtest.Until(t, "the doctor misses the node", func() bool {
		all, _ := app.Examine(t.Context(), redisAt(t, cluster.URL()), 16)
		nodes := finding(all, "nodes")
		return nodes.State == app.FindingProblem && strings.HasPrefix(nodes.Found, "no answer from "+lost.Addr+": ") &&
			finding(all, "drift").State == app.FindingNotChecked
	})
	s = spread(t, cluster.URL())
	for _, b := range s.Books {
		if b.Away != (b.Node == lost.Addr) {
			t.Errorf("book %+v", b)
		}
	}
	programtest.Until(t, "the books of the node are away", func() bool {
		totals, err := books.Totals(t.Context())
		return err == nil && totals.Away() > 0 && totals.Away() < 16 && totals.Unsettled() > 0
	})
	if used, limit, err := books.Memory(t.Context()); used == 0 || limit != 1<<30 || err != nil {
		t.Errorf("the memory is %d of %d: %v", used, limit, err)
	}
}

// finding returns the finding of a check.
func finding(all []app.Finding, check string) app.Finding {
	for _, f := range all {
		if f.Check == check {
			return f
		}
	}
	return app.Finding{}
}

func redisAt(t *testing.T, url string) config.Redis {
	t.Helper()
	r, err := config.ParseRedis(url)
	must(t, err)
	return r
}

func spread(t *testing.T, url string) app.Spread {
	t.Helper()
	s, err := app.ReadSpread(t.Context(), redisAt(t, url))
	must(t, err)
	return s
}
