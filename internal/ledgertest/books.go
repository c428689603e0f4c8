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

	"orderprocessor/internal/order"
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

func (b *books) checkRecords() {
	for id, r := range b.records {
		status := order.Status(r["s"])
		if !slices.Contains(order.Statuses(), status) {
			b.problem("order %s has unknown status %q", id, status)
		}
		if settled := r["z"] != ""; settled != status.Settled() {
			b.problem("order %s is %s with settled time %q", id, status, r["z"])
		}
		if due := r["x"] != ""; due != (status == order.StatusRetrying) {
			b.problem("order %s is %s with next attempt %q", id, status, r["x"])
		}
		if r["k"] != "" && (status == order.StatusCancelled || status == order.StatusHeld) {
			b.problem("order %s is %s and still has the claim %q", id, status, r["k"])
		}
		if r["j"] != "" && status != order.StatusHeld {
			b.problem("order %s is %s and its hold expires at %s", id, status, r["j"])
		}
		b.checkAttempts(id, r)
		b.checkTimeline(id, r)
	}
}

// checkAttempts checks that the record has the first attempt of the run, the newest ones
// and no others.
func (b *books) checkAttempts(id string, r map[string]string) {
	attempts, _ := strconv.Atoi(r["n"])
	before, _ := strconv.Atoi(r["m"])
	if before > attempts {
		b.problem("order %s has %d attempts, %d of them before its last retry", id, attempts, before)
	}
	first, ofRun := max(1, attempts-order.MaxAttemptsKept+1), before+1
	for n := 1; n <= attempts; n++ {
		_, kept := r["a"+strconv.Itoa(n)]
		// The oldest one makes room for the first one of the run.
		if n != ofRun && (n < first || n == first && first > 1 && !kept) {
			continue
		}
		parts := strings.Split(r["a"+strconv.Itoa(n)], "\t")
		// Only the last one may be open, while the order is being worked.
		open := len(parts) == 2 && n == attempts && worked(order.Status(r["s"]))
		if len(parts) != 5 && !open {
			b.problem("order %s has attempt %d as %q and is %s", id, n, parts, r["s"])
		}
	}
	for field := range r {
		number, ok := strings.CutPrefix(field, "a")
		if n, err := strconv.Atoi(number); ok && (err != nil || n < first && n != ofRun || n > attempts) {
			b.problem("order %s has %d attempts and a field %s", id, attempts, field)
		}
	}
}

func worked(s order.Status) bool {
	return s == order.StatusProcessing || s == order.StatusPriorityProcessing || s == order.StatusExpedited
}

func (b *books) checkIndexes() {
	for id, r := range b.records {
		at, _ := strconv.ParseFloat(r["c"], 64)
		if got, ok := b.indexes[r["s"]][id]; !ok || got != at {
			b.problem("order %s is %s since %s but its index has the time %v", id, r["s"], r["c"], got)
		}
		if got, ok := b.customers[id]; !ok || got != at {
			b.problem("order %s is accepted at %s but its customer's index has the time %v", id, r["c"], got)
		}
	}
	for id, r := range b.records {
		if at, _ := strconv.ParseFloat(r["j"], 64); at != b.expiries[id] {
			b.problem("the hold of order %s expires at %q but its index has the time %v", id, r["j"], b.expiries[id])
		}
	}
	for id := range b.expiries {
		if b.records[id]["j"] == "" {
			b.problem("the index of expiries has order %s, whose hold does not expire", id)
		}
	}
	for id := range b.marks {
		if b.records[id] == nil {
			b.problem("order %s is due for the archive and has no record", id)
		}
	}
	for status, ids := range b.indexes {
		for id := range ids {
			if r, ok := b.records[id]; !ok || r["s"] != status {
				b.problem("index %s has order %s, which is %q", status, id, r["s"])
			}
		}
	}
	for id := range b.customers {
		if b.records[id] == nil {
			b.problem("a customer's index has order %s, which has no record", id)
		}
	}
}

func (b *books) checkCounters() {
	var gauges, decided, attempts int64
	for _, s := range order.Statuses() {
		gauge, indexed := b.counter("g:"+string(s)), int64(len(b.indexes[string(s)]))
		gauges += gauge
		if s.Settled() && s != order.StatusCancelled {
			decided += gauge
		}
		if gauge < indexed || (!s.Settled() && gauge != indexed) {
			b.problem("%d orders are counted as %s, its index has %d", gauge, s, indexed)
		}
	}
	if accepted := b.counter("accepted"); accepted != gauges {
		b.problem("%d orders were accepted, the statuses add up to %d", accepted, gauges)
	}
	for _, r := range b.records {
		n, _ := strconv.ParseInt(r["n"], 10, 64)
		attempts += n
	}
	whole := b.counter("accepted") == int64(len(b.records))
	if counted := b.counter("attempts"); counted < attempts || (whole && counted != attempts) {
		b.problem("%d attempts are counted, the records have %d", counted, attempts)
	}
	retried := b.counter("retried")
	if from := b.counter("y:failed") + b.counter("y:rejected"); from != retried {
		b.problem("%d orders were retried, %d of them from failed or rejected", retried, from)
	}
	if observed := b.observations("end_to_end"); observed != decided+retried {
		b.problem("%d orders are decided and %d were retried, %d durations observed", decided, retried, observed)
	}
	if begun, processed := b.observations("queue_wait"), b.observations("processing"); processed > begun {
		b.problem("%d orders were begun, %d processed", begun, processed)
	}
}

func (b *books) observations(measure string) int64 {
	var n int64
	for name := range b.counters {
		if strings.HasPrefix(name, "l:"+measure+":") {
			n += b.counter(name)
		}
	}
	return n
}
