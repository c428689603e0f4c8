package app

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/config"
	"orderprocessor/internal/ledger"
	"orderprocessor/internal/queue"
)

const (
	// examineTimeout bounds all that Examine asks of Redis.
	examineTimeout = 10 * time.Second
	// stepTimeout bounds one step of it; a Redis that is well needs milliseconds.
	stepTimeout = 2 * time.Second
	// examinePool is how many connections it needs: it asks one thing at a time.
	examinePool = 2
)

// The areas of what Examine finds.
const (
	areaRedis  = "redis"
	areaAccess = "access"
	areaBooks  = "books"
	areaQueues = "queues"
)

// Examine looks at everything in Redis that orders depend on, as the user of the
// configuration, and says what to do where something is wrong. It writes nothing,
// returns after ten seconds at most, and leaves out what cannot be asked while Redis
// is away. It is safe to call at any time, beside programs that run.
func Examine(ctx context.Context, r config.Redis) []Finding {
	ctx, cancel := context.WithTimeout(ctx, examineTimeout)
	defer cancel()
	rdb := r.Client(config.Tuning{
		PoolSize: examinePool, DialTimeout: dialTimeout, ReadTimeout: stepTimeout, WriteTimeout: stepTimeout, MaxRetries: -1,
	})
	defer func() { _ = rdb.Close() }()
	return newExaminer(rdb, r.String()).run(ctx)
}

// examiner looks at one Redis.
type examiner struct {
	rdb       redis.UniversalClient
	addr      string
	books     *ledger.Ledger
	watch     *watch
	inspector *queue.Inspector
	// refused holds the optional commands that the user of this Redis may not run.
	refused []string
}

func newExaminer(rdb redis.UniversalClient, addr string) *examiner {
	books := ledger.New(rdb)
	return &examiner{
		rdb: rdb, addr: addr, books: books, inspector: queue.NewInspector(rdb),
		watch: newWatch(books, time.Now, slog.New(slog.DiscardHandler)),
	}
}

// run takes the steps one after the other. Without an answer to the first there are
// no others.
func (e *examiner) run(ctx context.Context) []Finding {
	found := e.take(ctx, step{areaRedis, "connection", e.connection})
	if found[0].State == FindingProblem {
		return append(found, Finding{
			Area: areaRedis, Check: "everything else", State: FindingNotChecked, Found: "Redis does not answer",
		})
	}
	for _, s := range []step{
		{areaAccess, "permissions", e.access}, // first: it says what the others may ask
		{areaRedis, "settings", e.settings},
		{areaRedis, "what it tells", e.server},
		{areaBooks, "totals", e.balance},
		{areaBooks, "keys", e.keys},
		{areaQueues, "who works", e.workers},
		{areaQueues, "depths", e.queues},
	} {
		found = append(found, e.take(ctx, s)...)
	}
	return found
}

// step is one part of the examination.
type step struct {
	area, name string
	do         func(context.Context) ([]Finding, error)
}

// take takes one step within its time. An error is a finding as well.
func (e *examiner) take(ctx context.Context, s step) []Finding {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	found, err := s.do(ctx)
	if err != nil {
		found = append(found, problem(s.name, fmt.Sprintf("cannot be read: %v", err),
			"see the other findings; if there are none, look at the log of Redis and ask again"))
	}
	for i := range found {
		found[i].Area = s.area
	}
	return found
}

const (
	// pings is how many round trips are measured.
	pings = 5
	// slowRoundTrip is the round trip above which orders are slow: each needs some
	// ten of them, one after the other.
	slowRoundTrip = 10 * time.Millisecond
)

// connection measures the way to Redis: the median of some round trips.
func (e *examiner) connection(ctx context.Context) ([]Finding, error) {
	const check = "connection"
	took := make([]time.Duration, pings)
	for i := range took {
		begun := time.Now()
		if err := e.books.Ping(ctx); err != nil {
			return []Finding{problem(check, fmt.Sprintf("no answer from Redis at %s: %v", e.addr, err),
				"start Redis, or set REDIS_URL right; until then no order is taken or worked")}, nil
		}
		took[i] = time.Since(begun)
	}
	slices.Sort(took)
	median := took[pings/2]
	found := fmt.Sprintf("%s answers in %v", e.addr, median.Round(time.Microsecond))
	if median > slowRoundTrip {
		return []Finding{warning(check, found,
			"each order needs some ten round trips: bring the programs nearer to Redis, or see what keeps it busy (SLOWLOG GET)")}, nil
	}
	return []Finding{good(check, found)}, nil
}

// settings makes the checks that the programs make themselves.
func (e *examiner) settings(ctx context.Context) ([]Finding, error) {
	if err := e.watch.look(ctx); err != nil {
		return nil, err
	}
	advice := map[string]string{
		"redis_version":   "update Redis to 7 or later",
		"eviction_policy": "CONFIG SET maxmemory-policy noeviction, and in redis.conf; then see whether drift is 0",
		"memory_limit":    "set maxmemory, at half of the machine's memory for instance",
		"persistence":     "appendonly yes and appendfsync everysec in redis.conf; see deploy/redis.conf",
		checkClock:        "put the time synchronisation of this machine and of Redis's right",
	}
	states := map[string]FindingState{checkOK: FindingOK, checkWarning: FindingWarning, checkFailed: FindingProblem}
	var found []Finding
	for _, c := range e.watch.checks() {
		f := Finding{Check: spaced(c.Name), State: states[c.State], Found: c.Detail}
		if f.State != FindingOK {
			f.Advice = advice[c.Name]
		}
		found = append(found, f)
	}
	return found, nil
}
