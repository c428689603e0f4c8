package ledger

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// programKept is how long a program is kept that is not heard of: a few times the
// interval at which programs announce themselves.
const programKept = 30 * time.Second

// Program is a process that works with these books.
type Program struct {
	// Kind is api or worker.
	Kind string
	// Name is that of the process; no two have the same.
	Name string
	// Version is what it was built from, in one line.
	Version string
}

// member is how the sorted set holds it. The version may have blanks.
func (p Program) member() string { return p.Kind + " " + p.Name + " " + p.Version }

// Announce records that a program runs at this time, by the clock of Redis, and forgets
// those that were not heard of for half a minute, so that the set stays small. It may
// be repeated. Nothing depends on it but what Programs returns.
func (l *Ledger) Announce(ctx context.Context, p Program, now time.Time) error {
	_, err := l.rdb.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.ZAdd(ctx, programsKey, redis.Z{Score: float64(now.UnixMilli()), Member: p.member()})
		pipe.Expire(ctx, programsKey, programKept)
		pipe.ZRemRangeByScore(ctx, programsKey, "-inf", "("+strconv.FormatInt(now.Add(-programKept).UnixMilli(), 10))
		return nil
	})
	return wrap(err, "announce %s %s", p.Kind, p.Name)
}

// Withdraw takes back what Announce recorded.
func (l *Ledger) Withdraw(ctx context.Context, p Program) error {
	return wrap(l.rdb.ZRem(ctx, programsKey, p.member()).Err(), "withdraw %s %s", p.Kind, p.Name)
}

// Programs returns the programs that run, in no order: those that were heard of within
// the last half minute, by the clock of Redis, and have not withdrawn.
func (l *Ledger) Programs(ctx context.Context) ([]Program, error) {
	now, err := l.Now(ctx)
	if err != nil {
		return nil, err
	}
	least := strconv.FormatInt(now.Add(-programKept).UnixMilli(), 10)
	members, err := l.rdb.ZRangeByScore(ctx, programsKey, &redis.ZRangeBy{Min: least, Max: "+inf"}).Result()
	if err != nil {
		return nil, wrap(err, "read the programs")
	}
	programs := make([]Program, len(members))
	for i, m := range members {
		p := &programs[i]
		p.Kind, m, _ = strings.Cut(m, " ")
		p.Name, p.Version, _ = strings.Cut(m, " ")
	}
	return programs, nil
}
