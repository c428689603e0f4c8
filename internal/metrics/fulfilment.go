package metrics

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"orderprocessor/internal/order"
)

// The values of the label result of a call to the shop.
const (
	resultOK        = "ok"
	resultTransient = "transient"
	resultPermanent = "permanent"
)

// Fulfiller calls the shop about an approved order; see fulfilment.Client.
type Fulfiller interface {
	Fulfil(ctx context.Context, a order.Approval) (note string, err error)
}

// Fulfilment is a Fulfiller whose calls are counted and timed. It is safe for
// concurrent use.
type Fulfilment struct {
	fulfiller Fulfiller
	took      map[string]prometheus.Observer // by result
}

// NewFulfilment returns a Fulfiller that counts the calls of f. Call it once for a
// registry.
func (r *Registry) NewFulfilment(f Fulfiller) *Fulfilment {
	took := r.factory.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: namespace, Name: "fulfilment_duration_seconds",
		Help: "Time of the calls to the shop, by result: ok, transient when the call is to be repeated " +
			"(the shop asked for that, or gave no complete answer), permanent when it refused for good.",
		Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
	}, []string{"result"})
	counted := &Fulfilment{fulfiller: f, took: map[string]prometheus.Observer{}}
	for _, result := range []string{resultOK, resultTransient, resultPermanent} {
		counted.took[result] = took.WithLabelValues(result)
	}
	return counted
}

// Fulfil makes one call.
func (f *Fulfilment) Fulfil(ctx context.Context, a order.Approval) (note string, err error) {
	begun := time.Now()
	note, err = f.fulfiller.Fulfil(ctx, a)
	f.took[verdict(err)].Observe(time.Since(begun).Seconds())
	return note, err
}

func verdict(err error) string {
	var permanent *order.PermanentError
	switch {
	case err == nil:
		return resultOK
	case errors.As(err, &permanent):
		return resultPermanent
	default:
		return resultTransient
	}
}
