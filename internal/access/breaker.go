package access

import (
	"sync/atomic"
	"time"
)

// breakTime is how long a process does not ask Redis after Redis failed to answer.
// Then a single request tries again.
const breakTime = time.Second

// breaker stops calls to a Redis that does not answer. Times are durations since any
// fixed moment. The zero value lets calls through. It is safe for concurrent use.
type breaker struct{ until atomic.Int64 } // 0 while Redis answers

// allow reports whether Redis may be asked. After a break only the first caller may.
func (b *breaker) allow(now time.Duration) bool {
	until := b.until.Load()
	if until == 0 {
		return true
	}
	return int64(now) >= until && b.until.CompareAndSwap(until, int64(now+breakTime))
}

// trip begins a break. It reports whether Redis had answered until now.
func (b *breaker) trip(now time.Duration) bool { return b.until.Swap(int64(now+breakTime)) == 0 }

// reset lets calls through again. It reports whether there was a break.
func (b *breaker) reset() bool { return b.until.Load() != 0 && b.until.Swap(0) != 0 }
