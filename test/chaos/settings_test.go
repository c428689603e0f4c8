package chaos_test

import (
	"cmp"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

const (
	// patience bounds the wait for what a program does within moments. It
	// only ends a scenario that hangs: how fast the machine is must not matter.
	patience = 5 * time.Minute
	// restPatience is how long nothing may change before all orders have their
	// outcome. Those of a killed worker may be still for two minutes.
	restPatience = 10 * time.Minute
	// goalP99 is within which time of the loss of their worker 99 of 100 orders
	// are begun again.
	goalP99 = 20 * time.Second
)

// longestRecovery is the promise for the last of them: two minutes, and five seconds for
// what lies between kill and journal. The short form measures on any machine
// while other scenarios run: there only what hangs exceeds it.
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

// begin starts a scenario: the short forms side by side, the long ones alone, so
// that what they measure is their own.
func begin(t *testing.T) {
	t.Helper()
	if !long() {
		t.Parallel()
	}
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

// boundP99 is the bound on the 99th percentile of recovery: CHAOS_P99, or the
// goal in the long form and the promise for the last order in the short one,
// whose few orders make no percentile.
func boundP99(t *testing.T) time.Duration {
	t.Helper()
	text := cmp.Or(os.Getenv("CHAOS_P99"), shortOrLong(longestRecovery(), goalP99).String())
	bound, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("CHAOS_P99: %v", err)
	}
	return bound
}
