// Package ledgertest checks the books. It reads the raw keys, without the ledger's code,
// and compares every figure with every other. Every test that uses a store ends with
// CheckBooks.
package ledgertest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
)

// CheckBooks reads all of the ledger's keys and fails the test for every disagreement of a
// book between records, indexes, counters, timelines and events. The books must be at rest.
func CheckBooks(tb testing.TB, rdb redis.UniversalClient) {
	tb.Helper()
	problems, err := Audit(context.Background(), rdb)
	if err != nil {
		tb.Fatalf("read the books: %v", err)
	}
	for _, p := range problems {
		tb.Errorf("the books do not balance: %s", p)
	}
}

// Audit returns every disagreement in the books, one sentence each.
func Audit(ctx context.Context, rdb redis.UniversalClient) ([]string, error) {
	all, err := read(ctx, rdb)
	if err != nil {
		return nil, err
	}
	first := all[Book]
	if first == nil {
		first = newBook(Book)
	}
	var problems []string
	for prefix, b := range all {
		b.checkRecords()
		b.checkIndexes()
		b.checkCounters()
		b.checkJobs()
		b.checkEvents()
		for _, p := range b.problems {
			problems = append(problems, strings.TrimPrefix(prefix+" "+p, Book+" "))
		}
		b.problems = nil
	}
	for _, b := range all {
		if b != first {
			first.add(b)
		}
	}
	first.checkHandled()
	problems = append(problems, first.problems...)
	slices.Sort(problems)
	return problems, nil
}

// books is one of them.
type books struct {
	prefix    string
	records   map[string]map[string]string  // by order id
	indexes   map[string]map[string]float64 // by status
	customers map[string]float64            // order id to score, over all customers
	expiries  map[string]float64            // held order id to the expiry of its hold
	marks     map[string]float64            // id of an order that the archive lacks to when it is due
	counters  map[string]string
	jobs      map[string]map[string]string // by job id
	jobIndex  map[string]float64           // all jobs, by their time of creation
	openJobs  map[string]float64           // those that have not ended, likewise
	events    []Event
	problems  []string
}

func newBook(prefix string) *books {
	return &books{
		prefix: prefix, records: map[string]map[string]string{}, indexes: map[string]map[string]float64{},
		customers: map[string]float64{}, jobs: map[string]map[string]string{},
	}
}

// read returns each book by the beginning of its keys.
func read(ctx context.Context, rdb redis.UniversalClient) (map[string]*books, error) {
	found, err := Keys(ctx, rdb, "orders:*")
	all := map[string]*books{}
	for _, key := range found {
		tag, _, _ := strings.Cut(key, "}:")
		prefix := tag + "}:"
		if all[prefix] == nil {
			all[prefix] = newBook(prefix)
		}
		if err := all[prefix].readKey(ctx, rdb, key); err != nil {
			return nil, err
		}
	}
	return all, err
}

// Keys returns the keys in rdb that match a pattern, in a Redis Cluster those of all
// masters.
func Keys(ctx context.Context, rdb redis.UniversalClient, pattern string) ([]string, error) {
	cluster, ok := rdb.(*redis.ClusterClient)
	if !ok {
		return scan(ctx, rdb, pattern)
	}
	var mu sync.Mutex
	var all []string
	err := cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
		keys, err := scan(ctx, node, pattern)
		mu.Lock()
		defer mu.Unlock()
		all = append(all, keys...)
		return err
	})
	return all, err
}

func scan(ctx context.Context, rdb redis.Cmdable, pattern string) (all []string, err error) {
	keys := rdb.Scan(ctx, 0, pattern, 1000).Iterator()
	for keys.Next(ctx) {
		all = append(all, keys.Val())
	}
	return all, keys.Err()
}

func (b *books) readKey(ctx context.Context, rdb redis.UniversalClient, key string) error {
	kind, name, _ := strings.Cut(strings.TrimPrefix(key, b.prefix), ":")
	var err error
	switch kind {
	case "o":
		b.records[name], err = rdb.HGetAll(ctx, key).Result()
	case "s":
		if name == "expiry" {
			b.expiries, err = members(ctx, rdb, key)
			return err
		}
		b.indexes[name], err = members(ctx, rdb, key)
	case "u":
		var ids map[string]float64
		ids, err = members(ctx, rdb, key)
		for id, at := range ids {
			b.customers[id] = at
		}
	case "c":
		b.counters, err = rdb.HGetAll(ctx, key).Result()
	case "e":
		b.events, err = Stream(ctx, rdb, key)
	case "a":
		b.marks, err = members(ctx, rdb, key)
	case "j":
		if name == "" {
			b.jobIndex, err = members(ctx, rdb, key)
			return err
		}
		b.jobs[name], err = rdb.HGetAll(ctx, key).Result()
	case "k":
		b.openJobs, err = members(ctx, rdb, key)
	case "b", "d", "l", "i", "n", "p", "f", "r", "h", "t": // see the keys of the ledger
	default:
		b.problem("key %s is not a key of the books", key)
	}
	return err
}

func members(ctx context.Context, rdb redis.UniversalClient, key string) (map[string]float64, error) {
	zs, err := rdb.ZRangeWithScores(ctx, key, 0, -1).Result()
	m := make(map[string]float64, len(zs))
	for _, z := range zs {
		m[z.Member.(string)] = z.Score
	}
	return m, err
}

func (b *books) problem(format string, args ...any) {
	b.problems = append(b.problems, fmt.Sprintf(format, args...))
}

func (b *books) counter(name string) int64 {
	n, _ := strconv.ParseInt(b.counters[name], 10, 64)
	return n
}
