package worker_test

import (
	"errors"
	"testing"
	"time"

	"orderprocessor/internal/order"
)

// TestRetryFor checks what bounds the attempts of a run: the time since the first one,
// and their number where one is set. Attempts after which the shop asked to be called
// later do not count, but their time does.
func TestRetryFor(t *testing.T) {
	t.Parallel()
	busy := &order.RetryError{Err: errors.New("busy")}
	later := &order.RetryError{Err: errors.New("busy"), Later: true}
	for name, row := range map[string]struct {
		most     int
		retryFor time.Duration
		before   int // attempts after which the shop asked to be called later
		shop     error
		want     string // the reason of the failure; empty if another attempt is due
	}{
		"no bound by number":                  {0, time.Hour, 9, busy, ""},
		"time has passed":                     {0, time.Nanosecond, 0, busy, "attempts used up after 1ns: busy"},
		"time has passed since the first one": {0, time.Nanosecond, 2, later, "attempts used up after 1ns: busy"},
		"later never uses the number up":      {1, time.Hour, 9, later, ""},
		"later does not count":                {2, time.Hour, 9, busy, ""},
		"the number is used up":               {1, time.Hour, 9, busy, "1 attempts used up: busy"},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			shop := answers("", later)
			b.hire(shop)
			b.MaxAttempts, b.RetryFor = row.most, time.Hour
			for range row.before {
				if got := verdictOf(b.Work(t.Context(), "o1")); got.Kind != retryLater {
					t.Fatalf("an attempt before ended with %+v", got)
				}
			}
			b.RetryFor = row.retryFor
			shop.fulfil = answers("", row.shop).fulfil
			want := verdict{Kind: permanent, Reason: row.want}
			got := verdictOf(b.Work(t.Context(), "o1"))
			if row.want == "" {
				want = verdict{Kind: retryLater, Reason: "busy", After: got.After}
			}
			if got != want {
				t.Errorf("it ended with %+v, want %+v", got, want)
			}
			if n := len(b.get(t).Attempts); n != row.before+1 {
				t.Errorf("the record has %d attempts", n)
			}
		})
	}
}
