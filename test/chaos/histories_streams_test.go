package chaos_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"orderprocessor/internal/client"
	"orderprocessor/internal/history"
	"orderprocessor/internal/order"
)

// subscribe has subscribers receive all events until check.
func (h *historian) subscribe(subscribers int) {
	ctx, cancel := context.WithCancel(context.Background())
	h.unsubscribe = cancel
	h.s.t.Cleanup(cancel)
	for n := range subscribers {
		stream := history.NewStream(h.recorder)
		h.streams = append(h.streams, stream)
		h.subscribing.Go(func() { h.receive(ctx, stream, rand.New(rand.NewPCG(h.s.seed, uint64(1_000+n)))) })
	}
	h.s.until("all subscribers are connected", func() bool {
		for _, stream := range h.streams {
			if _, _, connections := stream.Counts(); connections == 0 {
				return false
			}
		}
		return true
	})
}

// errElsewhere makes a subscriber continue at another API.
var errElsewhere = errors.New("elsewhere")

// receive keeps a subscriber connected, now to one API and now to the other. It changes
// when its connection is lost, and from time to time.
func (h *historian) receive(ctx context.Context, stream *history.Stream, random *rand.Rand) {
	for ctx.Err() == nil {
		err := h.api(random.Int()).Subscribe(ctx, nil, stream.Position(), func(message any) error {
			if _, lost := message.(client.Disconnected); lost || random.IntN(300) == 0 {
				return errElsewhere // the message comes again
			}
			return stream.Receive(message)
		})
		if !errors.Is(err, errElsewhere) {
			wait(50 * time.Millisecond) // the API is away
		}
	}
}

// checkStreams waits until the subscribers have received everything, and checks what they
// received.
func (h *historian) checkStreams(operations []history.Operation) {
	h.s.t.Helper()
	last := plain("last", len(h.orders))
	h.s.client.submit(last)
	for n, stream := range h.streams {
		h.s.until("the last event has come", func() bool { return stream.Has(last.ID, order.StatusCompleted) })
		events, gaps, connections := stream.Counts()
		all := history.CheckStream(stream, operations)
		h.s.t.Logf("subscriber %d: %d events, %d gaps, %d connections", n, events, gaps, connections)
		for _, v := range all[:min(len(all), shownFindings)] {
			h.s.t.Error(v)
		}
		if len(all) > 0 || gaps > 0 {
			h.s.t.Errorf("subscriber %d: %d orders are wrong, and there are %d gaps", n, len(all), gaps)
		}
	}
	h.unsubscribe()
	h.subscribing.Wait()
}
