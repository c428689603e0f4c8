package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"orderprocessor/internal/config"
	"orderprocessor/internal/ledger"
)

const (
	// examineTimeout bounds Examine.
	examineTimeout = 10 * time.Second
	// readTimeout bounds reading one source; a healthy Redis needs milliseconds.
	readTimeout = 2 * time.Second
	// examinePool is the number of connections of Examine, which asks one question at a
	// time.
	examinePool = 2
)

// Examine runs every check against Redis, as the user of the configuration. It writes
// nothing, returns within ten seconds, and skips what cannot be asked. It is safe to
// call at any time, while programs run. The number of books is compared with the one that is
// configured, unless that is 0.
//
// If asked is false, Redis could not be asked about orders at all. The findings say
// why: it does not answer, refuses the user, or is not ready.
func Examine(ctx context.Context, r config.Redis, books int) (found []Finding, asked bool) {
	ctx, cancel := context.WithTimeout(ctx, examineTimeout)
	defer cancel()
	rdb := r.Client(doctorTuning())
	defer func() { _ = rdb.Close() }()
	number, _ := ledger.Count(ctx, rdb) // the checks report why it does not answer
	redis, f := newReader(rdb, ledger.NewWith(rdb, ledger.Config{Books: number}), time.Now), &facts{addr: r.String(), books: books, number: number}
	for s := range sources {
		if f.barred() {
			return append(found, Finding{
				Area: areaRedis, Check: "everything else", State: FindingNotChecked, Found: "Redis cannot be asked",
			}), false
		}
		found = append(found, redis.examine(ctx, s, f)...)
	}
	for i := range found {
		found[i].Check = strings.ReplaceAll(found[i].Check, "_", " ")
	}
	return found, true
}

// examine reads one source and runs its checks. A failure to read it is a finding.
func (r *reader) examine(ctx context.Context, s source, f *facts) []Finding {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if err := r.read(ctx, s, f); err != nil {
		return []Finding{unread(err).complete(check{area: checksOf(s)[0].area, name: s.String()})}
	}
	return runChecks(s, f)
}

// unread is the finding that something could not be read.
func unread(err error) Finding {
	return problem(fmt.Sprintf("cannot be read: %v", err)).
		advise("see the other findings; if there are none, look at the log of Redis and ask again")
}

func doctorTuning() config.Tuning {
	return config.Tuning{
		PoolSize: examinePool, DialTimeout: dialTimeout, ReadTimeout: readTimeout, WriteTimeout: readTimeout, MaxRetries: -1,
	}
}

// ExamineVersions compares the builds of the running API and workers, as registered in
// Redis, with the build of this program. It returns within seconds and may be called
// whenever Examine may.
func ExamineVersions(ctx context.Context, r config.Redis) Finding {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	rdb := r.Client(doctorTuning())
	defer func() { _ = rdb.Close() }()
	programs, err := ledger.New(rdb).Programs(ctx)
	found := checkVersions(programs, Version())
	if err != nil {
		found = unchecked(fmt.Sprintf("cannot be read: %v", err))
	}
	return found.complete(check{area: "programs", name: "versions"})
}
