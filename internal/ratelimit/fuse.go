package ratelimit

import (
	"sync/atomic"
	"time"
)

// pause is how long Redis is left alone after it has failed to answer, by each
// process. Then one request tries again.
const pause = time.Second

// fuse keeps questions from a Redis that does not answer. Times are told from any
// one beginning. The zero value is a fuse that has not blown.
type fuse struct{ until atomic.Int64 } // 0 while Redis answers

// closed says whether Redis may be asked. Of those that come after a pause only
// the first may.
func (f *fuse) closed(now time.Duration) bool {
	until := f.until.Load()
	if until == 0 {
		return true
	}
	return int64(now) >= until && f.until.CompareAndSwap(until, int64(now+pause))
}

// blow begins a pause, and says whether Redis had answered until now.
func (f *fuse) blow(now time.Duration) bool { return f.until.Swap(int64(now+pause)) == 0 }

// mend ends the pauses, and says whether there were any.
func (f *fuse) mend() bool { return f.until.Load() != 0 && f.until.Swap(0) != 0 }
