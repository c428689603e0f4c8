// Package clients are the clients of a system under measurement: they send orders
// as fast as they are answered, at random intervals or at a constant rate, and
// subscribe to events.
//
// It receives an address and hands on counts and latencies. It owns its
// connections while a call lasts and nothing after it.
package clients

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sync/errgroup"

	"orderprocessor/internal/load"
)

const (
	// requestTimeout bounds one request: far above what any answer takes here.
	requestTimeout = 30 * time.Second
	// BatchOrders is how many orders a batch has, a tenth of what the API accepts.
	BatchOrders = 1000
	// BatchClients is how many clients send batches at once: the API accepts eight at
	// a time.
	BatchClients = 4
)

// Closed sends orders one by one from so many clients, each of which waits for its
// answer before it sends the next order. It returns how long that took. Anything
// but 201 is an error.
//
// The clients send as fast as they are answered, so this measures throughput and
// says nothing about latency.
func Closed(ctx context.Context, addr string, clients, orders int, o load.Orders) (time.Duration, error) {
	return closed(ctx, addr, clients, orders, 1, func(host *fasthttp.HostClient, first, _ int) error {
		return postOrder(host, o.Append(nil, first))
	})
}

// Batches sends orders in batches of NDJSON, from several clients, and returns how
// long that took. An order that is not answered 201 is an error.
func Batches(ctx context.Context, addr string, orders int, o load.Orders) (time.Duration, error) {
	return closed(ctx, addr, BatchClients, orders, BatchOrders, func(host *fasthttp.HostClient, first, n int) error {
		var lines []byte
		for i := first; i < first+n; i++ {
			lines = append(o.Append(lines, i), '\n')
		}
		return postBatch(host, lines, n)
	})
}

// closed calls send for so many orders at a time, until all orders are sent.
func closed(
	ctx context.Context, addr string, clients, orders, size int, send func(host *fasthttp.HostClient, first, n int) error,
) (time.Duration, error) {
	host := newHost(addr, clients)
	defer host.CloseIdleConnections()
	var next atomic.Int64
	sending, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	for range clients {
		sending.Go(func() error {
			for ctx.Err() == nil {
				first := int(next.Add(int64(size))) - size
				if first >= orders {
					return nil
				}
				if err := send(host, first, min(size, orders-first)); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
	}
	if err := sending.Wait(); err != nil {
		return 0, fmt.Errorf("send %d orders: %w", orders, err)
	}
	return time.Since(began), nil
}

// newHost returns a client that needs as little of the machine as possible, which
// it shares with what is measured.
func newHost(addr string, clients int) *fasthttp.HostClient {
	return &fasthttp.HostClient{
		Addr: addr, MaxConns: clients, ReadTimeout: requestTimeout, WriteTimeout: requestTimeout,
		MaxIdemponentCallAttempts: 1, // a repeated order would count twice
	}
}

func postOrder(host *fasthttp.HostClient, body []byte) error {
	return post(host, "/orders", "application/json", body, http.StatusCreated, func([]byte) error { return nil })
}

func postBatch(host *fasthttp.HostClient, lines []byte, n int) error {
	return post(host, "/orders/batch", "application/x-ndjson", lines, http.StatusOK, func(answer []byte) error {
		if accepted := bytes.Count(answer, []byte(`"status":201`)); accepted != n {
			return fmt.Errorf("POST /orders/batch: %d of %d orders were accepted: %.300s", accepted, n, answer)
		}
		return nil
	})
}

// post sends a body and calls check with the answer's, which must not be kept.
func post(host *fasthttp.HostClient, path, kind string, body []byte, want int, check func(answer []byte) error) error {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.SetRequestURI("http://" + host.Addr + path)
	req.Header.SetMethod(http.MethodPost)
	req.Header.SetContentType(kind)
	req.SetBodyRaw(body)
	if err := host.Do(req, resp); err != nil {
		return fmt.Errorf("POST %s: %w", path, err)
	}
	if resp.StatusCode() != want {
		return fmt.Errorf("POST %s: answered %d: %.200s", path, resp.StatusCode(), resp.Body())
	}
	return check(resp.Body())
}
