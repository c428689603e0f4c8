package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

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
			e.barred = true
			return e.judgePing(check, err), nil
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

// judgePing tells a Redis that is away from one that answers with an error.
func (e *examiner) judgePing(check string, err error) []Finding {
	var reply redis.Error
	if !errors.As(err, &reply) {
		return []Finding{problem(check, fmt.Sprintf("no answer from Redis at %s: %v", e.addr, err),
			"start Redis, or set REDIS_URL right; until then no order is taken or worked")}
	}
	return []Finding{good(check, e.addr+" answers"), judgeReply(reply)}
}

// judgeReply looks at the error with which Redis answers a PING.
func judgeReply(reply redis.Error) Finding {
	switch {
	case redis.IsAuthError(reply):
		return problem("login", fmt.Sprintf("Redis refuses the user or password of REDIS_URL: %v", reply),
			"set REDIS_URL to a user that Redis knows (ACL LIST) and its password; deploy/redis-users.acl shows how one is made")
	case redis.IsPermissionError(reply):
		return problem("login", "the user of REDIS_URL may not run PING", aclAdvice)
	case redis.IsLoadingError(reply):
		return problem("loading", fmt.Sprintf("Redis is loading its data: %v", reply),
			"wait until it has read its files, seconds for each gigabyte; INFO persistence tells how far it is")
	default:
		return problem("answer", fmt.Sprintf("Redis answers with an error: %v", reply),
			"see what it says, and the log of Redis; until then no order is taken or worked")
	}
}
