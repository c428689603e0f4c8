package ratelimit

import (
	"testing"
	"time"
)

// TestFuse asks again after a second, one request at a time, until it is mended.
func TestFuse(t *testing.T) {
	t.Parallel()
	var f fuse
	at := func(ms int) time.Duration { return time.Duration(ms) * time.Millisecond }
	steps := []struct {
		name string
		got  bool
		want bool
	}{
		{"a new one is closed", f.closed(0), true},
		{"and stays so", f.closed(at(1)), true},
		{"a new one needs no mending", f.mend(), false},
		{"the first failure is news", f.blow(at(10)), true},
		{"it is open", f.closed(at(10)), false},
		{"to the end of the pause", f.closed(at(1009)), false},
		{"a second failure is no news", f.blow(at(20)), false},
		{"the pause begins anew", f.closed(at(1019)), false},
		{"then one tries", f.closed(at(1020)), true},
		{"and no other", f.closed(at(1020)), false},
		{"until that would have failed as well", f.closed(at(2019)), false},
		{"and the next one tries", f.closed(at(2020)), true},
		{"mending is news", f.mend(), true},
		{"once", f.mend(), false},
		{"it is closed", f.closed(at(2021)), true},
		{"for everybody", f.closed(at(2021)), true},
		{"the next failure is news", f.blow(at(2022)), true},
	}
	for _, step := range steps {
		if step.got != step.want {
			t.Errorf("%s: %v", step.name, step.got)
		}
	}
}
