//go:build !race

// The race detector delays programs so much that they do more by the clock than is counted.

package app_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
)

// The figures of a cost that are no commands.
const (
	bytesIn  = "bytes received"
	bytesOut = "bytes sent"
	bytesLog = "bytes of the append-only file"
)

// costSlack is how far a figure may exceed its bound: what happens by the clock varies.
const costSlack = 0.04

// maxRounds is how often a cost is measured until it is within its bounds. The lowest
// figures count: a busy machine only adds to them, and a quiet one needs few rounds.
const maxRounds = 25

// cost is what Redis has done since it started or in a period of time: calls of each
// command, including those by scripts, and bytes.
type cost map[string]float64

// TestCostOfAnOrder counts what one order costs Redis, from its submission over HTTP
// until its task is gone. Each bound is the present figure. A change that lowers a
// figure must lower its bound, and one that raises it must say why. The first row is the
// most expensive case: one order at a time, so nothing is batched.
func TestCostOfAnOrder(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		submit func(m *machine, round int) (orders int)
		most   cost
	}{
		{"one after the other", func(m *machine, round int) int {
			for n := range 100 {
				m.post("/orders", costOrder(round, n))
			}
			return 100
		}, cost{
			bytesIn: 1920, bytesOut: 700, bytesLog: 3100,
			"evalsha": 5, "time": 2, "publish": 1,
			"hmget": 3, "hget": 2, "hgetall": 1, "hset": 6, "hdel": 1,
			"zadd": 4, "zrem": 2, "xinfo|stream": 2, "xadd": 2,
			"exists": 2, "lpush": 2, "rpop": 1, "lrem": 1, "del": 1, "incrby": 2,
			"zrangebyscore": 1, // whether ids of forgotten orders are kept, for each script of accept
		}},
		{"a batch of 500", func(m *machine, round int) int {
			orders := make([]string, 500)
			for n := range orders {
				orders[n] = costOrder(round, n)
			}
			m.post("/orders/batch", "["+strings.Join(orders, ",")+"]")
			return 500
		}, cost{ // with room for smaller batches, as a busy machine makes them
			bytesIn: 1250, bytesOut: 600, bytesLog: 2400,
			"evalsha": 2.1, "time": 1.3, "publish": 0,
			"hmget": 2.4, "hget": 2, "hgetall": 1, "hset": 5.2, "hdel": 1,
			"zadd": 2.6, "zrem": 1.9, "xinfo|stream": 1.3, "xadd": 1.3,
			"exists": 1.3, "lpush": 0.3, "rpop": 0.3, "lrem": 1, "del": 1, "incrby": 1.6, "zrangebyscore": 0.2,
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			m := startMachine(t)
			row.submit(m, 0) // scripts are loaded, connections are open
			m.idle()
			var least cost
			for round := 1; round <= maxRounds && (round == 1 || len(least.excess(row.most)) > 0); round++ {
				least = least.least(m.costOf(func() int { return row.submit(m, round) }))
			}
			t.Logf("an order costs Redis\n%s", least)
			for _, excess := range least.excess(row.most) {
				t.Errorf("an order costs Redis %s", excess)
			}
			ledgertest.CheckBooks(t, m.rdb)
		})
	}
}

// costOrder is an order of usual size with an id of its own.
func costOrder(round, n int) string {
	return fmt.Sprintf(`{"id":"order-%02d-%06d","amount":12.5,"items":["tea","cups"],"customer":"customer-%03d@example.com",`+
		`"address":"12 Main Street, London","notes":"ring twice"}`, round, n, n%100)
}

// machine is both programs on a Redis that writes an append-only file.
type machine struct {
	t         *testing.T
	url       string
	rdb       *redis.Client
	submitted int
	clock     cost // of a second in which nothing is submitted
}

func startMachine(t *testing.T) *machine {
	t.Helper()
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "no", "--auto-aof-rewrite-percentage", "0")
	s := startReady(t, environ(server.URL(), "ORDERS_WORKER_CONCURRENCY=16"))
	return &machine{t: t, url: s.url, rdb: server.Client()}
}

// post sends orders until all are accepted: on a busy machine Redis may answer late.
func (m *machine) post(path, body string) {
	m.t.Helper()
	programtest.Until(m.t, "the orders are accepted", func() bool {
		got := ask(m.t, "POST", m.url+path, body)
		return got.code/100 == 2 && !strings.Contains(got.text, `"status":503`)
	})
	m.submitted += strings.Count(body, `"id"`)
}

// settle waits until the tasks of all orders are gone. It uses a command that nothing
// else uses.
func (m *machine) settle() {
	m.t.Helper()
	programtest.Until(m.t, "all orders are processed", func() bool {
		n, _ := strconv.Atoi(m.rdb.GetRange(context.Background(), "asynq:{default}:processed", 0, -1).Val())
		return n == m.submitted
	})
}

// idle measures what happens by the clock.
func (m *machine) idle() {
	m.t.Helper()
	m.settle()
	begun, before := time.Now(), m.total()
	<-time.After(2 * time.Second) // the slowest periodic command runs once a second
	m.clock = m.total().perUnit(time.Since(begun).Seconds(), before, nil, 0)
}

// costOf returns the cost of one of the orders that submit sends.
func (m *machine) costOf(submit func() (orders int)) cost {
	m.t.Helper()
	begun, before := time.Now(), m.total()
	orders := submit()
	m.settle()
	return m.total().perUnit(float64(orders), before, m.clock, time.Since(begun).Seconds())
}

// total returns all that Redis has done.
func (m *machine) total() cost {
	m.t.Helper()
	text, err := m.rdb.Info(context.Background(), "commandstats", "stats", "persistence").Result()
	must(m.t, err)
	c := cost{}
	names := map[string]string{
		"total_net_input_bytes": bytesIn, "total_net_output_bytes": bytesOut, "aof_current_size": bytesLog,
	}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if command, ok := strings.CutPrefix(key, "cmdstat_"); ok {
			value, _, _ = strings.Cut(strings.TrimPrefix(value, "calls="), ",")
			names[key] = command
		}
		if name, ok := names[key]; ok {
			c[name], _ = strconv.ParseFloat(value, 64)
		}
	}
	delete(c, "getrange") // the test's own
	return c
}

// perUnit subtracts what was before, and so many seconds of the clock, and divides by n.
func (c cost) perUnit(n float64, before, clock cost, seconds float64) cost {
	each := cost{}
	for name := range c {
		each[name] = (c[name] - before[name] - seconds*clock[name]) / n
	}
	return each
}

// least returns the lower of the two figures of each kind.
func (c cost) least(other cost) cost {
	if c == nil {
		return other
	}
	lower := cost{}
	for name := range other {
		lower[name] = min(c[name], other[name])
	}
	return lower
}

// excess lists the figures above their bounds.
func (c cost) excess(most cost) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(c)) {
		if bound := most[name]; c[name] > bound*(1+costSlack)+0.1 {
			all = append(all, fmt.Sprintf("%.2f %s, at most %.2f are expected", c[name], name, bound))
		}
	}
	return all
}

// String lists the figures that are not zero.
func (c cost) String() string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(c)) {
		if c[name] > 0.005 {
			fmt.Fprintf(&text, "%10.2f %s\n", c[name], name)
		}
	}
	return text.String()
}
