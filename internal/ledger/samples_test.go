package ledger_test

import (
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/redistest"
	"orderprocessor/internal/stats"
)

// sampleAt is a sample of which all numbers differ.
func sampleAt(at time.Time, accepted int64) stats.Sample {
	return stats.Sample{
		At: at, Counts: stats.Counts{Accepted: accepted, Completed: 2, Rejected: 3, Failed: 4, Cancelled: 5},
		Levels: stats.Levels{
			Waiting:   map[order.Queue]int64{order.QueueCritical: 6, order.QueueDefault: 7, order.QueueLow: 8},
			Scheduled: 9, Retrying: 10, Held: 11, Processing: 12,
		},
	}
}

// minute is the beginning of the present minute by the clock of Redis.
func (b *bundle) minute(t *testing.T) time.Time {
	t.Helper()
	now, err := b.Now(t.Context())
	must(t, err)
	return now.Truncate(time.Minute)
}

func (b *bundle) samples(t *testing.T, r stats.Range) ([]stats.Sample, []stats.Marker) {
	t.Helper()
	samples, alerts, err := b.Samples(t.Context(), r)
	must(t, err)
	return samples, alerts
}

// TestSamples keeps the first sample of a time, and for each range those that are in it and
// at its steps.
func TestSamples(t *testing.T) {
	b := open(t)
	minute := b.minute(t)
	ago := func(d time.Duration) stats.Sample { return sampleAt(minute.Add(-d), 1) }
	for _, s := range []stats.Sample{
		ago(25 * time.Hour), ago(2 * time.Hour), ago(55 * time.Minute), ago(time.Minute), ago(20 * time.Second), ago(10 * time.Second), ago(0),
		ago(-50 * time.Minute), // the clock of Redis went back since
		sampleAt(minute, 99),   // of another leader
	} {
		must(t, b.SaveSample(t.Context(), s, stats.Verdict{}))
	}
	for key, text := range map[string]string{"t:1h": "none", "t:24h": fmt.Sprint(minute.Unix(), " 1 2")} {
		b.rdb.HSet(t.Context(), ledgertest.Book+key, "7", text) // as no version writes it
	}
	for r, want := range map[stats.Range][]stats.Sample{
		stats.RangeHour: {ago(55 * time.Minute), ago(time.Minute), ago(20 * time.Second), ago(10 * time.Second), ago(0)},
		stats.RangeDay:  {ago(2 * time.Hour), ago(55 * time.Minute), ago(time.Minute), ago(0)},
	} {
		got, _ := b.samples(t, r)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("of %s (-want +got):\n%s", r, diff)
		}
	}
}

// TestSamplesAreBounded keeps what there is room for, and the newest of it.
func TestSamplesAreBounded(t *testing.T) {
	b := open(t)
	minute := b.minute(t)
	const many = 600
	for n := range many {
		must(t, b.SaveSample(t.Context(), sampleAt(minute.Add(time.Duration(n-many+1)*10*time.Second), int64(n)), stats.Verdict{Cause: stats.Cause(strconv.Itoa(n)), What: "odd"}))
	}
	lengths := map[string]int64{}
	for _, key := range []string{"1h", "24h", "alerts"} {
		lengths[key] = b.rdb.HLen(t.Context(), ledgertest.Book+"t:"+key).Val()
	}
	if diff := cmp.Diff(map[string]int64{"1h": 360, "24h": many / 6, "alerts": 500 + 2}, lengths); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	samples, alerts := b.samples(t, stats.RangeHour)
	if last := samples[len(samples)-1]; last.Accepted != many-1 || len(alerts) < 350 {
		t.Errorf("the last of %d samples is %+v, and there are %d alerts", len(samples), last, len(alerts))
	}
}

// TestAlerts marks each change of the verdict's cause once, whoever sees it.
func TestAlerts(t *testing.T) {
	b := open(t)
	minute := b.minute(t).Add(-time.Minute)
	good := stats.Verdict{Level: stats.LevelGood, What: "All is well"}
	down := func(what string) stats.Verdict { return stats.Verdict{Cause: stats.CauseShopDown, What: what} }
	for n, v := range []stats.Verdict{good, down("The shop is down"), down("The shop is still down"), {}, good, good} {
		must(t, b.SaveSample(t.Context(), sampleAt(minute.Add(time.Duration(n)*10*time.Second), 1), v))
	}
	_, alerts := b.samples(t, stats.RangeHour)
	want := []stats.Marker{
		{At: minute.Add(10 * time.Second), Kind: stats.MarkerAlert, Text: "The shop is down"},
		{At: minute.Add(40 * time.Second), Kind: stats.MarkerAlert, Text: "All is well"},
	}
	if diff := cmp.Diff(want, alerts); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
}

// TestSampleFaults breaks the write in both ways and repeats it.
func TestSampleFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range redistest.Faults() {
		t.Run(fault.String(), func(t *testing.T) {
			b, whole := open(t), newBundle(t)
			minute, paused := b.minute(t), stats.Verdict{Cause: stats.CausePaused, What: "Paused"}
			must(t, whole.SaveSample(t.Context(), sampleAt(minute, 1), paused))
			b.breaker.Break(fault, redistest.Script("orders:"))
			if err := b.SaveSample(t.Context(), sampleAt(minute, 1), paused); !errors.Is(err, order.ErrUnavailable) {
				t.Errorf("the broken write answered %v", err)
			}
			must(t, b.SaveSample(t.Context(), sampleAt(minute, 1), paused))
			if diff := cmp.Diff(whole.dump(t), b.dump(t)); diff != "" {
				t.Errorf("after the repeat (-want +got):\n%s", diff)
			}
		})
	}
}
