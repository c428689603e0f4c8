// Package client is a typed client of the API, for orderctl and for tests.
//
// It receives an address and a key, and hands on what the API answers, both
// decoded and as it was written. It owns its connections until Close. What is
// durable after a call is what the API's answer promises.
package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"orderprocessor/internal/config"
	"orderprocessor/internal/order"
)

const (
	// DefaultAddress is where the API listens unless configured otherwise.
	DefaultAddress = defaultScheme + "127.0.0.1:8080"
	defaultScheme  = "http://"
	// requestTimeout bounds one request. The API answers within two seconds even
	// without Redis; networks get the rest.
	requestTimeout = 15 * time.Second
	// maxAnswerBytes bounds an answer: an order with the most items and attempts
	// takes about 2 MiB.
	maxAnswerBytes = 8 << 20
	// maxIdle bounds the idle connections that are kept: more than orderctl uses at a
	// time.
	maxIdle = 1024
)

// Options are the optional settings of a Client.
type Options struct {
	// Key is sent with every request unless it is empty.
	Key string
	// Timeout bounds one request; 0 means 15 seconds.
	Timeout time.Duration
	// Once makes the client send each request once, also where a repeat is safe.
	Once bool
	// Hint returns advice that is appended to the text of an error answer, or
	// nothing. It may be nil.
	Hint func(*ResponseError) string
}

// Client talks to the API. It is safe for concurrent use.
type Client struct {
	base    *url.URL
	options Options
	http    *http.Client
}

// New returns a client of the API at the address, an http or https URL.
func New(address string, o Options) (*Client, error) {
	base, err := parseAddress(config.Trimmed(address))
	if err != nil {
		return nil, err
	}
	if o.Timeout == 0 {
		o.Timeout = requestTimeout
	}
	return &Client{base: base, options: o, http: &http.Client{
		Timeout: o.Timeout,
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, MaxIdleConns: maxIdle, MaxIdleConnsPerHost: maxIdle,
			IdleConnTimeout: requestTimeout, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// parseAddress reads the address of the API. The error names what is missing.
func parseAddress(address string) (*url.URL, error) {
	base, err := url.Parse(address)
	if err == nil && (base.Scheme == "http" || base.Scheme == "https") && base.Hostname() != "" {
		if name := config.Punycode(base.Hostname()); name != "" {
			return nil, fmt.Errorf("the host in the address of the API must be written in punycode: %s", name)
		}
		return base, nil
	}
	reason := ""
	if whole, err := url.Parse(defaultScheme + address); err == nil && whole.Hostname() != "" && !strings.Contains(address, "://") {
		reason = ": " + defaultScheme + " is missing: " + order.Printable(whole.Redacted())
		address = strings.TrimPrefix(whole.Redacted(), defaultScheme)
	}
	return nil, fmt.Errorf("the address of the API must look like %s, not %q%s", DefaultAddress, address, reason)
}

// Close closes the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Base returns a copy of the API's address.
func (c *Client) Base() *url.URL { return c.base.JoinPath() }

// Address returns the API's address for people, without a password.
func (c *Client) Address() string { return c.base.Redacted() }

// Key returns the key that is sent, or nothing.
func (c *Client) Key() string { return c.options.Key }

// Submit sends one order, once. It reports whether the API had the order already.
func (c *Client) Submit(ctx context.Context, body []byte) (replayed bool, err error) {
	_, header, err := c.send(ctx, request{method: http.MethodPost, path: []string{"orders"}, body: body})
	if err != nil {
		return false, err
	}
	return header.Get("Idempotency-Replayed") == "true", nil
}

// SubmitKeyed sends one order, once, with an idempotency key unless that is empty, and
// returns the order. It reports whether the API had the order already.
func (c *Client) SubmitKeyed(ctx context.Context, body []byte, key string) (o Order, replayed bool, err error) {
	r := post("orders")
	r.body, r.idempotencyKey = body, key
	answer, header, err := c.send(ctx, r)
	o, err = decode[Order](answer, err)
	return o, header.Get("Idempotency-Replayed") == "true", err
}

// Order returns an order.
func (c *Client) Order(ctx context.Context, id string) (Order, error) {
	return decode[Order](c.sendOnce(ctx, get("orders", id)))
}

// Cancel withdraws an order and returns it. The reason may be empty.
func (c *Client) Cancel(ctx context.Context, id, reason string) (Order, error) {
	return c.changeOrder(ctx, id, "cancel", reason)
}

// Retry gives an order that failed or was rejected another run, and returns it.
// It sends the request once: after a lost answer the API would refuse a repeat,
// because the order is pending by then.
func (c *Client) Retry(ctx context.Context, id string) (Order, error) {
	return decode[Order](c.sendOnce(ctx, post("orders", id, "retry")))
}

// RetryMany retries the orders that match. The report of a repeated request does
// not include what a request without an answer did.
func (c *Client) RetryMany(ctx context.Context, which RetryRequest) (RetryReport, error) {
	body, err := json.Marshal(which)
	if err != nil {
		return RetryReport{}, err
	}
	r := post("orders", "retry")
	r.body = body
	report, err := decode[RetryReport](c.sendRepeatedly(ctx, r))
	if err == nil && report.NextCursor != "" && report.NextCursor == which.Cursor {
		return RetryReport{}, errSameCursor
	}
	return report, err
}

// Queues returns the queues.
func (c *Client) Queues(ctx context.Context) (Queues, error) {
	return decode[Queues](c.sendRepeatedly(ctx, get("queues")))
}

// CorruptTasks returns the tasks of a queue that were stored because they could
// not be decoded.
func (c *Client) CorruptTasks(ctx context.Context, queue string) (CorruptTasks, error) {
	return decode[CorruptTasks](c.sendRepeatedly(ctx, get("queues", queue, "corrupt")))
}

// PauseQueue stops the work on a queue and returns the queue.
func (c *Client) PauseQueue(ctx context.Context, name string) (Queue, error) {
	return decode[Queue](c.sendRepeatedly(ctx, post("queues", name, "pause")))
}

// ResumeQueue resumes the work on a queue and returns the queue.
func (c *Client) ResumeQueue(ctx context.Context, name string) (Queue, error) {
	return decode[Queue](c.sendRepeatedly(ctx, post("queues", name, "resume")))
}

// Workers returns the worker processes.
func (c *Client) Workers(ctx context.Context) (Workers, error) {
	return decode[Workers](c.sendRepeatedly(ctx, get("workers")))
}

// Stats returns the statistics.
func (c *Client) Stats(ctx context.Context) (Stats, error) {
	return decode[Stats](c.sendOnce(ctx, get("stats")))
}

// Health returns nil when the service accepts and works orders.
func (c *Client) Health(ctx context.Context) error {
	_, err := c.sendOnce(ctx, get("health"))
	return err
}

// Verdict returns what is wrong, as GET /health says, whether or not the service accepts
// and works orders.
func (c *Client) Verdict(ctx context.Context) (Verdict, error) {
	text, err := c.sendOnce(ctx, get("health"))
	var refused *ResponseError
	if errors.As(err, &refused) && refused.Verdict.What != "" {
		return refused.Verdict, nil
	}
	var health struct {
		Verdict Verdict `json:"verdict"`
	}
	if err == nil && (json.Unmarshal(text, &health) != nil || health.Verdict.What == "") {
		err = ErrNotAPI
	}
	return health.Verdict, err
}

// Ready returns the version of a program whose admin address the client has, or
// nothing if the program does not know it. A program that is not ready is an error.
func (c *Client) Ready(ctx context.Context) (version string, err error) {
	text, err := c.sendOnce(ctx, get("readyz"))
	if err != nil {
		return "", err
	}
	var v struct {
		Version string `json:"version"`
	}
	if json.Unmarshal(text, &v) != nil {
		return "", ErrNotAPI
	}
	return v.Version, nil
}

// Reach returns an *UnreachableError when nothing answers at the API's address.
// Any answer is good.
func (c *Client) Reach(ctx context.Context) error {
	return RetryPolicy{Attempts: reachAttempts}.run(ctx, func() error {
		err := c.Health(ctx)
		if errors.As(err, new(*ResponseError)) {
			return nil
		}
		return err
	})
}
