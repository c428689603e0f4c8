package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"orderprocessor/internal/stats"
)

// snapshotTimeout bounds the questions of one scrape to Redis. Prometheus waits ten
// seconds for a scrape by default.
const snapshotTimeout = 2 * time.Second

// Snapshots returns the state of the whole system; see stats.Reporter.Snapshot.
type Snapshots interface {
	Snapshot(ctx context.Context) (stats.Snapshot, error)
}

// AddLedger reads the ledger and the queues at each scrape, for at most two seconds.
// Without an answer orders_books_up is 0 and the other orders_books metrics are absent,
// so that a scrape never returns old figures.
func (r *Registry) AddLedger(s Snapshots) {
	r.registry.MustRegister(&ledger{
		snapshots: s, figures: append(figures(), durations()...),
		up: ledgerDesc("up", "1 if the books could be read for this scrape, else 0; then the other orders_books metrics are absent."),
	})
}

// ledger is a prometheus.Collector of snapshots.
type ledger struct {
	snapshots Snapshots
	up        *prometheus.Desc
	figures   []figure
}

// Describe implements prometheus.Collector.
func (l *ledger) Describe(out chan<- *prometheus.Desc) {
	out <- l.up
	for _, f := range l.figures {
		out <- f.desc
	}
}

// Collect implements prometheus.Collector.
func (l *ledger) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), snapshotTimeout)
	defer cancel()
	now, err := l.snapshots.Snapshot(ctx)
	out <- prometheus.MustNewConstMetric(l.up, prometheus.GaugeValue, oneIf(err == nil))
	if err != nil {
		return
	}
	for _, f := range l.figures {
		f.collect(now, out)
	}
}

func ledgerDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "books", name), help, labels, nil)
}
