package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"orderprocessor/internal/stats"
)

// booksTimeout bounds what one scrape takes of Redis. It is well within the ten
// seconds that Prometheus waits for a scrape by default.
const booksTimeout = 2 * time.Second

// Snapshots tells the state of the whole system; see stats.Reporter.Snapshot.
type Snapshots interface {
	Snapshot(ctx context.Context) (stats.Snapshot, error)
}

// AddBooks has each scrape read the books and the queues, for two seconds at most.
// While Redis is away orders_books_up is 0 and the other metrics of the books are
// absent: a scrape tells what is so now, or nothing.
func (r *Registry) AddBooks(s Snapshots) {
	r.registry.MustRegister(&books{
		snapshots: s, figures: figures(), durations: durations(),
		up: booksDesc("up", "1 if the books could be read for this scrape, else 0; then the other orders_books metrics are absent."),
	})
}

// books is a prometheus.Collector.
type books struct {
	snapshots Snapshots
	up        *prometheus.Desc
	figures   []figure
	durations []duration
}

// Describe implements prometheus.Collector.
func (b *books) Describe(out chan<- *prometheus.Desc) {
	out <- b.up
	for _, f := range b.figures {
		out <- f.desc
	}
	for _, d := range b.durations {
		out <- d.desc
	}
}

// Collect implements prometheus.Collector.
func (b *books) Collect(out chan<- prometheus.Metric) {
	now, err := b.read()
	if err != nil {
		out <- prometheus.MustNewConstMetric(b.up, prometheus.GaugeValue, 0)
		return
	}
	out <- prometheus.MustNewConstMetric(b.up, prometheus.GaugeValue, 1)
	for _, f := range b.figures {
		f.collect(now, out)
	}
	for _, d := range b.durations {
		d.collect(now, out)
	}
}

func (b *books) read() (stats.Snapshot, error) {
	ctx, cancel := context.WithTimeout(context.Background(), booksTimeout)
	defer cancel()
	return b.snapshots.Snapshot(ctx)
}

func booksDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "books", name), help, labels, nil)
}
