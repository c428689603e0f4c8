package programtest

import (
	"testing"
	"time"
)

const (
	// Patience bounds a wait for something that should happen soon. It only ends tests
	// that hang, however slow the machine is.
	Patience = 5 * time.Minute
	// pause is the time between two polls.
	pause = 10 * time.Millisecond
)

// Until polls a condition until it is true. It ends the test if that takes longer than
// Patience. Call it from the test's goroutine.
func Until(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	if !Poll(Patience, ok) {
		tb.Fatalf("gave up waiting until %s", what)
	}
}

// Poll polls a condition, at least once, until it is true or the time is up. It reports
// whether it became true.
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
