package load

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sync/errgroup"
)

// The shape of a bulk load.
const (
	// BatchOrders is how many orders a batch has, a tenth of what the API takes.
	BatchOrders = 1000
	// BatchClients is how many clients send batches at once: the API holds eight at
	// a time.
	BatchClients = 4
)

// Batches sends so many orders in batches of NDJSON, from several clients, and
// returns how long that took. An order that is not answered 201 is an error.
func Batches(ctx context.Context, addr string, orders int, o Orders) (time.Duration, error) {
	host := newHost(addr, BatchClients)
	defer host.CloseIdleConnections()
	var next atomic.Int64
	sending, ctx := errgroup.WithContext(ctx)
	begun := time.Now()
	for range BatchClients {
		sending.Go(func() error {
			for ctx.Err() == nil {
				first := int(next.Add(BatchOrders)) - BatchOrders
				if first >= orders {
					return nil
				}
				if err := postBatch(host, o.lines(first, min(BatchOrders, orders-first))); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
	}
	if err := sending.Wait(); err != nil {
		return 0, fmt.Errorf("send %d orders in batches: %w", orders, err)
	}
	return time.Since(begun), nil
}

// lines returns submissions one below the other.
func (o Orders) lines(first, orders int) []byte {
	var lines []byte
	for n := first; n < first+orders; n++ {
		lines = append(o.Append(lines, n), '\n')
	}
	return lines
}

func postBatch(host *fasthttp.HostClient, lines []byte) error {
	sent := bytes.Count(lines, []byte{'\n'})
	return post(host, "/orders/batch", "application/x-ndjson", lines, http.StatusOK, func(answer []byte) error {
		if taken := bytes.Count(answer, []byte(`"status":201`)); taken != sent {
			return fmt.Errorf("POST /orders/batch: %d of %d orders were taken: %.300s", taken, sent, answer)
		}
		return nil
	})
}
