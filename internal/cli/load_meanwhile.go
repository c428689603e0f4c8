package cli

import (
	"context"
	"fmt"
	"math"
	"time"

	"orderprocessor/internal/order"
)

// keptUpWithin is how much of the load may wait at its end without the workers
// having fallen behind: what arrives in half a second. Some orders are always on
// their way.
const keptUpWithin = 500 * time.Millisecond

// snapshot is the statistics at one time.
type snapshot struct {
	at    time.Time
	stats statsView
}

func look(ctx context.Context, c *Client) (snapshot, error) {
	answer, err := c.Stats(ctx)
	if err != nil {
		return snapshot{}, fmt.Errorf("get stats: %w", err)
	}
	v, err := decodeStats(answer)
	return snapshot{at: time.Now(), stats: v}, err
}

// settled is how many orders ever met their outcome.
func (s snapshot) settled() int64 {
	var n int64
	for status, orders := range s.stats.ByStatus {
		if status.Settled() {
			n += orders
		}
	}
	return n
}

// backlog is how many orders wait for a worker, or for another try.
func (s snapshot) backlog() int64 {
	return s.stats.ByStatus[order.StatusPending] + s.stats.ByStatus[order.StatusRetrying]
}

// meanwhile is what the whole system did between two snapshots, with the orders of
// the load and of all others.
type meanwhile struct {
	Seconds          float64 `json:"seconds"`
	Accepted         int64   `json:"accepted"`
	Settled          int64   `json:"settled"`
	SettledPerSecond float64 `json:"settled_per_second"`
	BacklogBefore    int64   `json:"backlog_before"`
	BacklogAfter     int64   `json:"backlog_after"`
	// GrowthPerSecond is how many more orders waited with every second; below 0
	// where the backlog shrank.
	GrowthPerSecond float64 `json:"backlog_growth_per_second"`
	// KeptUp says that no more of the load waited than keptUpWithin allows.
	KeptUp bool `json:"kept_up"`
	// RecentMS is the durations of the last five minutes, as the API has them:
	// shorter loads share them with what was before.
	RecentMS latencyView `json:"latency_ms_of_last_five_minutes"`
}

func newMeanwhile(before, after snapshot) *meanwhile {
	took := after.at.Sub(before.at)
	m := &meanwhile{
		Seconds:       hundredths(took.Seconds()),
		Accepted:      after.stats.Ledger.Accepted - before.stats.Ledger.Accepted,
		Settled:       after.settled() - before.settled(),
		BacklogBefore: before.backlog(), BacklogAfter: after.backlog(),
		RecentMS: after.stats.LatencyMS,
	}
	growth := m.BacklogAfter - m.BacklogBefore
	m.SettledPerSecond, m.GrowthPerSecond = perSecond(m.Settled, took), perSecond(growth, took)
	m.KeptUp = float64(growth) <= perSecond(m.Accepted, took)*keptUpWithin.Seconds()
	return m
}

func perSecond(orders int64, took time.Duration) float64 {
	return hundredths(float64(orders) / took.Seconds())
}

func hundredths(x float64) float64 { return math.Round(x*100) / 100 }

// verdict says it in a sentence.
func (m *meanwhile) verdict() string {
	if !m.KeptUp {
		return fmt.Sprintf("The workers did not keep up: with every second %.1f more orders waited.", m.GrowthPerSecond)
	}
	return "The workers kept up."
}
