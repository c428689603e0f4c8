package chaos_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

const (
	// patience bounds each wait. It only ends a scenario that hangs: the orders of a
	// killed worker may not change for two minutes, and the machine may be slow.
	patience = 10 * time.Minute
	// goalP99 is within which time of the loss of their worker 99 of 100 orders
	// are begun again.
	goalP99 = 20 * time.Second
)

// longestRecovery is the promise for the last of them: two minutes, and five seconds for
// what lies between kill and journal. The short form measures on any machine
// while other scenarios run: there only a scenario that hangs exceeds it.
func longestRecovery() time.Duration { return shortOrLong(20*time.Minute, 125*time.Second) }

// long reports whether the long forms run.
func long() bool { return os.Getenv("CHAOS") == "long" }

// shortOrLong returns the size of a scenario in the form that runs.
func shortOrLong[T any](short, extended T) T {
	if long() {
		return extended
	}
	return short
}

// newSeed returns the seed of a scenario: CHAOS_SEED, or a new one.
func newSeed(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv("CHAOS_SEED")
	if text == "" {
		return uint64(rand.Uint32())
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("CHAOS_SEED: %v", err)
	}
	return seed
}

// boundP99 is the bound on the 99th percentile of recovery: the goal in the long form, and
// the promise for the last order in the short one, whose few orders make no percentile.
func boundP99() time.Duration { return shortOrLong(longestRecovery(), goalP99) }
