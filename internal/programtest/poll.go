package programtest

import (
	"testing"
	"time"
)

const (
	// Patience bounds a wait for what takes moments; a loaded machine gets what it
	// needs.
	Patience = 5 * time.Minute
	// pause is the time between two looks of a poll.
	pause = 10 * time.Millisecond
)

// Until polls a condition. The test is over if it does not come true within Patience.
// Call it from the test's goroutine.
func Until(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	if !Poll(Patience, ok) {
		tb.Fatalf("gave up waiting until %s", what)
	}
}

// Poll looks at a condition until it is true or the time is up, once at least, and
// says whether it came true.
func Poll(within time.Duration, ok func() bool) bool {
	late := time.NewTimer(within)
	defer late.Stop()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-late.C:
			return ok() // the machine may have slept
		}
	}
	return true
}
