package parts_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/redistest"
)

// BenchmarkScheduled sends orders for later and measures how long after their
// time they begin, on an otherwise idle machine.
func BenchmarkScheduled(b *testing.B) {
	redis := redistest.Start(b, "--appendonly", "yes", "--appendfsync", "everysec")
	addr := startAPI(b, redis)
	startWorker(b, redis)
	l := ledger.New(redis.Client())
	const orders = 200
	var latest, sum time.Duration
	for b.Loop() {
		at := time.Now().Add(2 * time.Second)
		ids := make([]string, orders)
		for n := range ids {
			ids[n] = fmt.Sprintf("later-%d-%d", at.UnixNano(), n)
			if err := postScheduled(addr, ids[n], at.Add(time.Duration(n)*17*time.Millisecond)); err != nil {
				b.Fatal(err)
			}
		}
		for _, id := range ids {
			late := lateness(b, l, id)
			latest, sum = max(latest, late), sum+late
		}
	}
	b.ReportMetric(float64(latest.Milliseconds()), "max-ms-late")
	b.ReportMetric(float64(sum.Milliseconds())/float64(b.N*orders), "mean-ms-late")
}

// lateness waits until the order is settled, and returns how long after its time its
// first attempt began.
func lateness(b *testing.B, l *ledger.Ledger, id string) (late time.Duration) {
	b.Helper()
	await(b, func() bool {
		rec, err := l.Get(b.Context(), id)
		if err != nil || !rec.Status.Settled() {
			return false
		}
		late = rec.Attempts[0].StartedAt.Sub(rec.ProcessAt)
		return true
	})
	return late
}

func postScheduled(addr, id string, at time.Time) error {
	body := fmt.Sprintf(`{"id":%q,"amount":5,"items":["tea"],"customer":"ada","address":"1 Road","process_at":%q}`,
		id, at.Format(time.RFC3339Nano))
	resp, err := http.Post("http://"+addr+"/orders", "application/json", strings.NewReader(body))
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		return fmt.Errorf("POST /orders answered %s", resp.Status)
	}
	return nil
}
