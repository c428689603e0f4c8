package access

import (
	"testing"
	"time"
)

// TestBreaker lets one caller try again after each second, until it is reset.
func TestBreaker(t *testing.T) {
	t.Parallel()
	var b breaker
	at := func(ms int) time.Duration { return time.Duration(ms) * time.Millisecond }
	steps := []struct {
		name string
		got  bool
		want bool
	}{
		{"a new one allows", b.allow(0), true},
		{"and goes on allowing", b.allow(at(1)), true},
		{"a new one needs no reset", b.reset(), false},
		{"the first failure begins a break", b.trip(at(10)), true},
		{"nobody is allowed", b.allow(at(10)), false},
		{"until the end of the break", b.allow(at(1009)), false},
		{"a second failure is not the first", b.trip(at(20)), false},
		{"the break begins again", b.allow(at(1019)), false},
		{"then one is allowed", b.allow(at(1020)), true},
		{"and no other", b.allow(at(1020)), false},
		{"until the next break has passed", b.allow(at(2019)), false},
		{"then one is allowed again", b.allow(at(2020)), true},
		{"a reset ends the break", b.reset(), true},
		{"once", b.reset(), false},
		{"all are allowed", b.allow(at(2021)), true},
		{"every time", b.allow(at(2021)), true},
		{"the next failure begins a break", b.trip(at(2022)), true},
	}
	for _, step := range steps {
		if step.got != step.want {
			t.Errorf("%s: %v", step.name, step.got)
		}
	}
}
