package cli

import (
	"net/http"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// TestLoadLatencySinceDue holds that a request that was sent late counts from when
// it was due.
func TestLoadLatencySinceDue(t *testing.T) {
	t.Parallel()
	const took = 5 * time.Millisecond
	for _, tt := range []struct {
		name string
		n    uint64
		sent time.Duration // since the first request was due
		want float64
	}{
		{"on time", 10, 100 * time.Millisecond, 5},
		{"late", 10, 130 * time.Millisecond, 35},
		{"the first, late", 0, 30 * time.Millisecond, 35},
		{"early, as two changed places", 10, 90 * time.Millisecond, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := loadPlan{rate: 100, duration: time.Second}
			pace := newPace(p, nil)
			pace.began = time.Now()
			a := newAnswers("", p, pace)
			a.add(&vegeta.Result{Seq: tt.n, Code: http.StatusCreated, Timestamp: pace.began.Add(tt.sent), Latency: took})
			if got := a.quantiles().Max; got != tt.want {
				t.Errorf("%v ms, want %v", got, tt.want)
			}
		})
	}
}

// TestLoadPace holds that a request that is late goes out at once, and that none
// does once the time is up or all have gone.
func TestLoadPace(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		elapsed time.Duration
		sent    uint64
		waits   time.Duration // -1 for not at all
		stops   bool
	}{
		{"the first", 0, 0, 0, false},
		{"on time", 200 * time.Millisecond, 30, 100 * time.Millisecond, false},
		{"late", 400 * time.Millisecond, 30, -100 * time.Millisecond, false},
		{"late at the end", 1050 * time.Millisecond, 90, 0, false},
		{"too late", 1150 * time.Millisecond, 90, -1, true},
		{"all have gone", 990 * time.Millisecond, 100, -1, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			waited := time.Duration(-1)
			pace := newPace(loadPlan{rate: 100, duration: time.Second}, func(d time.Duration) error {
				waited = d
				return nil
			})
			wait, stop := pace.Pace(tt.elapsed, tt.sent)
			if wait != 0 || stop != tt.stops || waited != tt.waits {
				t.Errorf("waits %v and then %v, stops: %v", waited, wait, stop)
			}
		})
	}
}

// TestLoadRateThatWasReached holds that time in which nothing could be sent counts,
// and the interval after the last request as well.
func TestLoadRateThatWasReached(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		requests int64
		ran      time.Duration
		want     float64
		kept     bool
	}{
		{"all in time", 100, 990 * time.Millisecond, 100, true},
		{"all, the last ones late", 100, 1090 * time.Millisecond, 91.74, true},
		{"interrupted", 50, 505 * time.Millisecond, 99.01, true},
		{"too few", 50, 1100 * time.Millisecond, 45.45, false},
		{"none", 0, 0, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := loadPlan{rate: 100, duration: time.Second}
			a := newAnswers("", p, newPace(p, nil))
			a.requests, a.pace.ran = tt.requests, tt.ran
			if r := newLoadReport(p, a); r.SentPerSecond != tt.want || r.RateKept != tt.kept {
				t.Errorf("%v per second, kept: %v", r.SentPerSecond, r.RateKept)
			}
		})
	}
}

// TestLoadBoundsTheRequests holds that the bodies of all requests that wait for an
// answer fit their bound.
func TestLoadBoundsTheRequests(t *testing.T) {
	t.Parallel()
	for batch, want := range map[int]uint64{0: maxLoadRequests, 1: maxLoadRequests, 100: 7669, maxLoadBatch: 76} {
		p := loadPlan{batch: batch}
		if got := p.inFlight(); got != want {
			t.Errorf("%d batches of %d may wait, want %d", got, batch, want)
		}
	}
}

// TestLoadTellsTheFirstLoss holds that the reason that is told is the first one.
func TestLoadTellsTheFirstLoss(t *testing.T) {
	t.Parallel()
	a := newAnswers("", loadPlan{}, nil)
	for _, text := range []string{`Post "http://api/orders": connection refused`, `Post "http://api/orders": EOF`} {
		a.add(&vegeta.Result{Error: text})
	}
	if a.lost != 2 || a.lostFor != "connection refused" {
		t.Errorf("%d are lost, for %q", a.lost, a.lostFor)
	}
}
