package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/config"
	"orderprocessor/internal/ledger"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/stats"
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
// returns after ten seconds at most, and leaves out what cannot be asked. It is safe
// to call at any time, beside programs that run.
//
// Asked says whether Redis could be asked about orders at all. If not, the findings
// say why: it does not answer, refuses the user, or is not ready.
func Examine(ctx context.Context, r config.Redis) (found []Finding, asked bool) {
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
	// facts is what was found of those that /health goes by.
	facts stats.Facts
	// barred says that Redis answers nothing about orders: it is away, refuses the
	// user, or is not ready.
	barred bool
}

func newExaminer(rdb redis.UniversalClient, addr string) *examiner {
	books := ledger.New(rdb)
	return &examiner{
		rdb: rdb, addr: addr, books: books, inspector: queue.NewInspector(rdb),
		watch: newWatch(rdb, books, time.Now, slog.New(slog.DiscardHandler)),
	}
}

// run takes the steps one after the other. The first two say whether Redis can be
// asked; if it cannot, there are no others.
func (e *examiner) run(ctx context.Context) (found []Finding, asked bool) {
	for _, s := range []step{
		{areaRedis, "connection", e.connection},
		{areaAccess, "permissions", e.access},
		{areaRedis, "settings", e.settings},
		{areaRedis, "what it tells", e.server},
		{areaBooks, "totals", e.balance},
		{areaBooks, "keys", e.keys},
		{areaQueues, "who works", e.workers},
		{areaQueues, "depths", e.queues},
	} {
		found = append(found, e.take(ctx, s)...)
		if e.barred {
			return append(found, Finding{
				Area: areaRedis, Check: "everything else", State: FindingNotChecked, Found: "Redis cannot be asked",
			}), false
		}
	}
	return found, true
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

// settings makes the checks that the programs make themselves.
func (e *examiner) settings(ctx context.Context) ([]Finding, error) {
	settings, err := e.books.Settings(ctx)
	if err != nil {
		return nil, err
	}
	difference, err := e.watch.clockDifference(ctx)
	if err != nil {
		return nil, err
	}
	refusal := e.books.Writable(ctx)
	if refusal != nil && !isReply(refusal) {
		return nil, refusal
	}
	writable := judgeWritable(settings, nil, refusal)
	if writable.State == checkFailed {
		e.facts.Unusable = errors.New(writable.Detail)
	}
	var found []Finding
	for _, c := range append(judge(settings), writable, judgeClock(difference)) {
		if c.Name == checkPersistence && settings.AppendOnly && settings.AppendFsync == "" {
			found = append(found, unchecked(spaced(c.Name), e.untold("appendfsync")))
			continue
		}
		found = append(found, findingOf(c))
	}
	return found, nil
}

// checkPersistence is how the programs name their check of the append-only file.
const checkPersistence = "persistence"

// findingOf is a check of the programs, with what to do about it.
func findingOf(c check) Finding {
	advice := map[string]string{
		"redis_version":   "update Redis to 7 or later",
		"eviction_policy": "CONFIG SET maxmemory-policy noeviction, and in redis.conf; then see whether drift is 0",
		"memory_limit":    "set maxmemory, at half of the machine's memory for instance",
		checkPersistence:  "appendonly yes and appendfsync everysec in redis.conf; see deploy/redis.conf",
		checkWritable:     "point REDIS_URL to the master, or to the Sentinels (?master_name=…); if it is one, look at the log of Redis",
		checkClock:        "put the time synchronisation of this machine and of Redis's right",
	}
	states := map[string]FindingState{checkOK: FindingOK, checkWarning: FindingWarning, checkFailed: FindingProblem}
	f := Finding{Check: spaced(c.Name), State: states[c.State], Found: c.Detail}
	if f.State != FindingOK {
		f.Advice = advice[c.Name]
	}
	return f
}
