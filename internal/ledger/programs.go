package ledger

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// programKept is how long a program is listed after it last announced itself: a few
// times the interval between announcements.
const programKept = 30 * time.Second

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
// programs that have not announced themselves for half a minute. It may be repeated.
// Only Programs depends on it.
func (l *Ledger) Announce(ctx context.Context, p Program, now time.Time) error {
	_, err := l.rdb.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.ZAdd(ctx, programsKey, redis.Z{Score: float64(now.UnixMilli()), Member: p.member()})
		pipe.Expire(ctx, programsKey, programKept)
		pipe.ZRemRangeByScore(ctx, programsKey, "-inf", "("+strconv.FormatInt(now.Add(-programKept).UnixMilli(), 10))
		return nil
	})
	return wrap(err, "announce %s %s", p.Kind, p.Name)
}

// Withdraw undoes Announce.
func (l *Ledger) Withdraw(ctx context.Context, p Program) error {
	return wrap(l.rdb.ZRem(ctx, programsKey, p.member()).Err(), "withdraw %s %s", p.Kind, p.Name)
}

// Programs returns the running programs, in no order: those that have announced
// themselves within the last half minute and have not withdrawn.
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
