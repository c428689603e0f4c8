package load

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sync/errgroup"
)

// requestTimeout bounds one request: far above what any answer takes here.
const requestTimeout = 30 * time.Second

// Closed sends so many orders one by one from so many clients, each of which
// waits for its answer before it sends the next order. Anything but 201 is an
// error. It returns how long all of it took.
//
// The clients send as fast as they are answered, so this measures throughput and
// says nothing about latency.
func Closed(ctx context.Context, addr string, clients, orders int, o Orders) (time.Duration, error) {
	host := newHost(addr, clients)
	defer host.CloseIdleConnections()
	var next atomic.Int64
	sending, ctx := errgroup.WithContext(ctx)
	begun := time.Now()
	for range clients {
		sending.Go(func() error {
			var body []byte
			for n := int(next.Add(1)) - 1; n < orders && ctx.Err() == nil; n = int(next.Add(1)) - 1 {
				body = o.Append(body[:0], n)
				if err := postOrder(host, body); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
	}
	if err := sending.Wait(); err != nil {
		return 0, fmt.Errorf("send %d orders: %w", orders, err)
	}
	return time.Since(begun), nil
}

// newHost returns a client that takes as little of the machine as can be: it is
// shared with what is measured.
func newHost(addr string, clients int) *fasthttp.HostClient {
	return &fasthttp.HostClient{
		Addr: addr, MaxConns: clients, ReadTimeout: requestTimeout, WriteTimeout: requestTimeout,
		MaxIdemponentCallAttempts: 1, // a repeated order would count twice
	}
}

func postOrder(host *fasthttp.HostClient, body []byte) error {
	return post(host, "/orders", "application/json", body, http.StatusCreated, func([]byte) error { return nil })
}

// post sends a body and has the answer's looked at, which is gone afterwards.
func post(host *fasthttp.HostClient, path, kind string, body []byte, want int, look func(answer []byte) error) error {
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
	return look(resp.Body())
}
