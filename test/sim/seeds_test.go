package sim_test

import (
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// shortSeeds is how many seeds run without SIM_SEEDS: always the same ones.
const shortSeeds = 100

// TestSeeds simulates many seeds, and fails for each that breaks a promise. SIM_SEEDS is how
// many, from a random one on. With SIM_SEED it simulates that one, and
// prints the whole trace.
func TestSeeds(t *testing.T) {
	t.Parallel()
	if seed, one := number(t, "SIM_SEED"); one {
		s := simulate(t, seed, defect{})
		t.Log("every message, with the time in seconds\n" + s.trace())
		report(t, seed, s)
		return
	}
	first, n := uint64(1), uint64(shortSeeds)
	if seeds, many := number(t, "SIM_SEEDS"); many {
		first, n = uint64(rand.Uint32()), seeds
	}
	var messages, faults, took atomic.Int64
	begun := time.Now()
	inParallel(t, n, func(t *testing.T, i uint64) {
		s := simulate(t, first+i, defect{})
		report(t, first+i, s)
		messages.Add(int64(len(s.lines)))
		took.Add(int64(s.took))
		for _, n := range s.faults {
			faults.Add(int64(n))
		}
	})
	t.Logf("%d seeds from %d on: %d messages and %d faults in %v of their time, in %v", n, first, messages.Load(), faults.Load(),
		time.Duration(took.Load()).Round(time.Second), time.Since(begun).Round(time.Millisecond))
}

// number reads a number from the environment.
func number(t *testing.T, name string) (n uint64, set bool) {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return 0, false
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n, true
}

// inParallel calls do for 0 to n-1, on all processors.
func inParallel(t *testing.T, n uint64, do func(t *testing.T, i uint64)) {
	t.Helper()
	var next atomic.Uint64
	t.Run("all", func(t *testing.T) {
		for worker := range runtime.GOMAXPROCS(0) {
			t.Run(strconv.Itoa(worker), func(t *testing.T) {
				t.Parallel()
				for i := next.Add(1) - 1; i < n; i = next.Add(1) - 1 {
					do(t, i)
				}
			})
		}
	})
}

func report(t *testing.T, seed uint64, s *sim) {
	t.Helper()
	if len(s.findings) > 0 {
		t.Errorf("seed %d, whose trace `make sim SEED=%d` prints:\n\t%s", seed, seed, strings.Join(s.findings, "\n\t"))
	}
}

// TestReplay holds that a seed always gives the same trace.
func TestReplay(t *testing.T) {
	t.Parallel()
	n, set := number(t, "SIM_REPLAYS")
	if !set {
		n = 20
	}
	inParallel(t, n, func(t *testing.T, i uint64) {
		first, second := simulate(t, i, defect{}).lines, simulate(t, i, defect{}).lines
		for n := range max(len(first), len(second)) {
			if n >= len(first) || n >= len(second) || first[n] != second[n] {
				t.Fatalf("seed %d has two traces from line %d on:\n%s\n%s", i, n, at(first, n), at(second, n))
			}
		}
	})
}

func at(lines []string, n int) string {
	if n < len(lines) {
		return lines[n]
	}
	return "the end"
}
