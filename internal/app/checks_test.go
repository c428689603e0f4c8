package app

import (
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/ledger"
)

// TestJudge holds what is made of each setting of Redis.
func TestJudge(t *testing.T) {
	t.Parallel()
	good := ledger.Settings{Version: "7.0.15", EvictionPolicy: "noeviction", MaxMemory: 1 << 30, AppendOnly: true, AppendFsync: "always"}
	rows := []struct {
		name   string
		change func(s *ledger.Settings)
		check  string
		state  string
		detail string
	}{
		{"a good one", func(*ledger.Settings) {}, "", "", ""},
		{"the oldest version", func(s *ledger.Settings) { s.Version = "6.2.0" }, "", "", ""},
		{"an older version", func(s *ledger.Settings) { s.Version = "6.0.16" }, "redis_version", checkFailed, "6.2 or later"},
		{"a much older version", func(s *ledger.Settings) { s.Version = "5.9.1" }, "redis_version", checkFailed, "6.2 or later"},
		{"no version", func(s *ledger.Settings) { s.Version = "" }, "redis_version", checkFailed, "6.2 or later"},
		{"two digits", func(s *ledger.Settings) { s.Version = "10.1" }, "", "", ""},
		{"eviction", func(s *ledger.Settings) { s.EvictionPolicy = "allkeys-lru" }, "eviction_policy", checkFailed, `"allkeys-lru"`},
		{"no bound", func(s *ledger.Settings) { s.MaxMemory = 0 }, "memory_limit", checkWarning, "no maxmemory"},
		{"no file", func(s *ledger.Settings) { s.AppendOnly = false }, "persistence", checkWarning, "no append-only file"},
		{"everysec", func(s *ledger.Settings) { s.AppendFsync = "everysec" }, "", "", ""},
		{"no sync", func(s *ledger.Settings) { s.AppendFsync = "no" }, "persistence", checkWarning, "half a minute"},
		{"nobody knows when", func(s *ledger.Settings) { s.AppendFsync = "" }, "persistence", checkWarning, "does not tell"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := good
			row.change(&s)
			for _, c := range judge(s) {
				want := checkOK
				if c.Name == row.check {
					want = row.state
				}
				if c.State != want || (c.Name == row.check && !strings.Contains(c.Detail, row.detail)) {
					t.Errorf("%+v, want %s with %q", c, want, row.detail)
				}
			}
		})
	}
}

// TestJudgeClock holds what is made of a clock that is ahead or behind.
func TestJudgeClock(t *testing.T) {
	t.Parallel()
	for off, want := range map[time.Duration]string{
		0: checkOK, time.Second: checkOK, 1001 * time.Millisecond: checkWarning, 5 * time.Second: checkWarning, 5001 * time.Millisecond: checkFailed,
	} {
		for _, d := range []time.Duration{off, -off} {
			if c := judgeClock(d); c.State != want {
				t.Errorf("%v is %s, want %s", d, c.State, want)
			}
		}
	}
}
