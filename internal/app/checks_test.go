package app

import (
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/ledger"
)

// TestSettings checks the finding for each setting of Redis.
func TestSettings(t *testing.T) {
	t.Parallel()
	good := ledger.Settings{Version: "7.0.15", EvictionPolicy: "noeviction", MaxMemory: 1 << 30, AppendOnly: true, AppendFsync: "always"}
	rows := []struct {
		name   string
		change func(s *ledger.Settings)
		check  string
		state  FindingState
		found  string
	}{
		{"a good one", func(*ledger.Settings) {}, "", "", ""},
		{"the oldest version", func(s *ledger.Settings) { s.Version = "6.2.0" }, "", "", ""},
		{"an older version", func(s *ledger.Settings) { s.Version = "6.0.16" }, "redis_version", FindingProblem, "6.2 or later"},
		{"a much older version", func(s *ledger.Settings) { s.Version = "5.9.1" }, "redis_version", FindingProblem, "6.2 or later"},
		{"no version", func(s *ledger.Settings) { s.Version = "" }, "redis_version", FindingProblem, "6.2 or later"},
		{"Valkey", func(s *ledger.Settings) { s.Version, s.Valkey = "7.2.4", "9.1.2" }, "redis_version", FindingOK, "Valkey 9.1.2"},
		{"two digits", func(s *ledger.Settings) { s.Version = "10.1" }, "", "", ""},
		{"eviction", func(s *ledger.Settings) { s.EvictionPolicy = "allkeys-lru" }, "eviction_policy", FindingProblem, `"allkeys-lru"`},
		{"no policy", func(s *ledger.Settings) { s.EvictionPolicy = "" }, "eviction_policy", FindingProblem, "does not report its maxmemory-policy"},
		{"no bound", func(s *ledger.Settings) { s.MaxMemory = 0 }, "memory_limit", FindingWarning, "no maxmemory"},
		{"no file", func(s *ledger.Settings) { s.AppendOnly = false }, "persistence", FindingWarning, "no append-only file"},
		{"everysec", func(s *ledger.Settings) { s.AppendFsync = "everysec" }, "", "", ""},
		{"no sync", func(s *ledger.Settings) { s.AppendFsync = "no" }, "persistence", FindingWarning, "half a minute"},
		{"unknown sync", func(s *ledger.Settings) { s.AppendFsync = "" }, "persistence", FindingNotChecked, "does not report appendfsync"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := good
			row.change(&s)
			for _, f := range runChecks(fromSettings, &facts{settings: s}) {
				want := FindingOK
				if f.Check == row.check {
					want = row.state
				}
				if f.State != want || (f.Check == row.check && !strings.Contains(f.Found, row.found)) {
					t.Errorf("%+v, want %s with %q", f, want, row.found)
				}
			}
		})
	}
}

// TestClockDifference checks the finding for a clock that is ahead or behind.
func TestClockDifference(t *testing.T) {
	t.Parallel()
	for off, want := range map[time.Duration]FindingState{
		0: FindingOK, time.Second: FindingOK, 1001 * time.Millisecond: FindingWarning, 5 * time.Second: FindingWarning, 5001 * time.Millisecond: FindingProblem,
	} {
		for _, d := range []time.Duration{off, -off} {
			if c := checkClockDifference(&facts{clock: d}); c.State != want {
				t.Errorf("%v is %s, want %s", d, c.State, want)
			}
		}
	}
}

// TestRoundTrip checks the finding for a slow connection.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for took, want := range map[time.Duration]FindingState{slowRoundTrip: FindingOK, slowRoundTrip + 1: FindingWarning} {
		if f := checkRoundTrip(&facts{roundTrip: took}); f.State != want {
			t.Errorf("%v is %s, want %s", took, f.State, want)
		}
	}
}

// TestVersions checks that programs of several builds, orderctl included, are a warning.
func TestVersions(t *testing.T) {
	t.Parallel()
	const one, other = "commit 1, go1", "commit 2, go1"
	none := "commit unknown, go1"
	program := func(kind, version string) ledger.Program {
		return ledger.Program{Kind: kind, Name: kind + version, Version: version}
	}
	for _, row := range []struct {
		name    string
		running []ledger.Program
		own     string
		state   FindingState
		found   string
	}{
		{"one build", []ledger.Program{program("api", one), program("worker", one)}, one, FindingOK, "1 api and 1 worker of " + one},
		{"two builds", []ledger.Program{program("api", one), program("worker", other)}, one, FindingWarning, "1 api of " + one + "; 1 worker of " + other},
		{"two workers", []ledger.Program{program("worker", one), program("worker", other)}, other, FindingWarning, "1 worker of " + one + "; 1 worker of " + other},
		{"another orderctl", []ledger.Program{program("api", one), program("worker", one)}, other, FindingWarning, "orderctl is of " + other},
		{"an orderctl of an unknown build", []ledger.Program{program("api", one), program("worker", one)}, none, FindingOK, one},
		{"a worker of an unknown build", []ledger.Program{program("api", one), program("worker", none)}, one, FindingWarning, "1 worker of " + none},
		{"nothing runs", nil, one, FindingNotChecked, "no API and no worker"},
	} {
		f := checkVersions(row.running, row.own)
		if f.State != row.state || !strings.Contains(f.Found, row.found) || (f.State == FindingWarning) != (f.Advice != "") {
			t.Errorf("%s: %+v", row.name, f)
		}
	}
}
