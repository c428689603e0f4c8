package ledger

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/stats"
)

const (
	// programRuns is how long a program counts as running after it last announced itself:
	// a few times the interval between announcements.
	programRuns = 30 * time.Second
	// programKept is how long it is remembered.
	programKept = time.Hour
	// stoppedMark is in front of a program that has stopped.
	stoppedMark = "-"
	// KindWorker is the Kind of workers.
	KindWorker = "worker"
)

// Program is a process that works with these books.
type Program struct {
	// Kind is api or worker.
	Kind string
	// Name is unique to the process.
	Name string
	// Version is what the program was built from, in one line.
	Version string
}

// member encodes the program for the sorted set. The version may contain blanks.
func (p Program) member() string { return p.Kind + " " + p.Name + " " + p.Version }

// Announce records that a program runs at this time, by the clock of Redis, and forgets
// programs that have not announced themselves for an hour. It may be repeated. Only
// Programs and GoneWorkers depend on it.
func (s *service) Announce(ctx context.Context, p Program, now time.Time) error {
	_, err := s.rdb.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.ZAdd(ctx, s.keys.programs, redis.Z{Score: float64(now.UnixMilli()), Member: p.member()})
		pipe.Expire(ctx, s.keys.programs, programKept)
		pipe.ZRemRangeByScore(ctx, s.keys.programs, "-inf", "("+strconv.FormatInt(now.Add(-programKept).UnixMilli(), 10))
		return nil
	})
	return wrap(err, "announce %s %s", p.Kind, p.Name)
}

// Withdraw records that a program that announced itself stops at this time. It may be
// repeated.
func (s *service) Withdraw(ctx context.Context, p Program, now time.Time) error {
	_, err := s.rdb.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.ZRem(ctx, s.keys.programs, p.member())
		pipe.ZAdd(ctx, s.keys.programs, redis.Z{Score: float64(now.UnixMilli()), Member: stoppedMark + p.member()})
		return nil
	})
	return wrap(err, "withdraw %s %s", p.Kind, p.Name)
}

// Programs returns the running programs: those that have announced themselves within the
// last half minute and have not withdrawn, the earliest first.
func (s *service) Programs(ctx context.Context) ([]Program, error) {
	now, err := s.Now(ctx)
	if err != nil {
		return nil, err
	}
	entries, err := s.programs(ctx, now.Add(-programRuns))
	if err != nil {
		return nil, err
	}
	programs := make([]Program, 0, len(entries))
	for _, e := range entries {
		if !e.stopped {
			programs = append(programs, e.Program)
		}
	}
	return programs, nil
}

// GoneWorkers returns the workers that ran in the hour before now, by the clock of Redis,
// and do not any more, the latest first.
func (s *service) GoneWorkers(ctx context.Context, now time.Time) ([]stats.GoneWorker, error) {
	entries, err := s.programs(ctx, now.Add(-programKept))
	if err != nil {
		return nil, err
	}
	var gone []stats.GoneWorker
	for _, e := range slices.Backward(entries) {
		if e.Kind == KindWorker && (e.stopped || now.Sub(e.at) > programRuns) {
			gone = append(gone, stats.GoneWorker{Name: e.Name, LastSeen: e.at, Stopped: e.stopped})
		}
	}
	return gone, nil
}

// programEntry is a program as it last announced or withdrew itself.
type programEntry struct {
	Program
	at      time.Time
	stopped bool
}

// programs returns the programs heard of since then, the earliest first.
func (s *service) programs(ctx context.Context, since time.Time) ([]programEntry, error) {
	least := strconv.FormatInt(since.UnixMilli(), 10)
	members, err := s.rdb.ZRangeByScoreWithScores(ctx, s.keys.programs, &redis.ZRangeBy{Min: least, Max: "+inf"}).Result()
	if err != nil {
		return nil, wrap(err, "read the programs")
	}
	entries := make([]programEntry, len(members))
	for i, m := range members {
		e := &entries[i]
		e.at = time.UnixMilli(int64(m.Score)).UTC()
		member, _ := m.Member.(string)
		member, e.stopped = strings.CutPrefix(member, stoppedMark)
		e.Kind, member, _ = strings.Cut(member, " ")
		e.Name, e.Version, _ = strings.Cut(member, " ")
	}
	return entries, nil
}
