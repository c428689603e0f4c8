package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"orderprocessor/internal/config"
	"orderprocessor/internal/order"
)

const (
	// requestTimeout bounds one request. The API answers within two seconds
	// whatever happens to Redis; networks get the rest.
	requestTimeout = 15 * time.Second
	// maxAnswerBytes bounds an answer: a record with the most items and attempts
	// has some 2 MiB.
	maxAnswerBytes = 8 << 20
)

// Client talks to the API. It is safe for concurrent use.
type Client struct {
	base *url.URL
	key  string
	http *http.Client
}

// NewClient returns a client of the API at the address, an http or https URL. It
// sends the key with every request, unless it is empty, and keeps up to conns
// connections open.
func NewClient(address, key string, conns int) (*Client, error) {
	base, err := parseAPI(config.Trimmed(address))
	if err != nil {
		return nil, err
	}
	return &Client{base: base, key: key, http: &http.Client{
		Timeout: requestTimeout,
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, MaxIdleConns: conns, MaxIdleConnsPerHost: conns,
			IdleConnTimeout: requestTimeout, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// parseAPI reads the address of the API, and says what is missing in it.
func parseAPI(address string) (*url.URL, error) {
	base, err := url.Parse(address)
	if err == nil && (base.Scheme == "http" || base.Scheme == "https") && base.Hostname() != "" {
		if name := config.Punycode(base.Hostname()); name != "" {
			return nil, usagef("the address of the API has a host in other letters than ASCII, to be written in punycode: %s", name)
		}
		return base, nil
	}
	reason := ""
	if whole, err := url.Parse(defaultScheme + address); err == nil && whole.Hostname() != "" && !strings.Contains(address, "://") {
		reason = ": " + defaultScheme + " is missing: " + order.Printable(whole.Redacted())
		address = strings.TrimPrefix(whole.Redacted(), defaultScheme)
	}
	return nil, usagef("the address of the API must look like %s, not %q%s", defaultAPI, address, reason)
}

// Close closes the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Submit sends one order, once. It says whether the API had the order already.
func (c *Client) Submit(ctx context.Context, body []byte) (replayed bool, err error) {
	_, header, err := c.send(ctx, request{method: http.MethodPost, path: []string{"orders"}, body: body})
	if err != nil {
		return false, err
	}
	return header.Get("Idempotency-Replayed") == "true", nil
}

// Order returns the record of an order as the API wrote it.
func (c *Client) Order(ctx context.Context, id string) (json.RawMessage, error) {
	answer, _, err := c.send(ctx, request{method: http.MethodGet, path: []string{"orders", id}})
	return answer, err
}

// Orders returns a page of orders as the API wrote it. The query holds the
// filter, the limit and the cursor.
func (c *Client) Orders(ctx context.Context, query url.Values) (json.RawMessage, error) {
	return c.sendPatiently(ctx, request{method: http.MethodGet, path: []string{"orders"}, query: query})
}

// Cancel withdraws an order and returns its record as the API wrote it. The
// reason may be empty.
func (c *Client) Cancel(ctx context.Context, id, reason string) (answer json.RawMessage, err error) {
	r := request{method: http.MethodPost, path: []string{"orders", id, "cancel"}}
	if reason != "" {
		if r.body, err = json.Marshal(map[string]string{"reason": reason}); err != nil {
			return nil, err
		}
	}
	return c.sendPatiently(ctx, r)
}

// Retry gives an order that failed or was rejected another run, and returns its
// record as the API wrote it. It sends the request once: a repeat after a lost
// answer would be refused, as the order is pending by then.
func (c *Client) Retry(ctx context.Context, id string) (json.RawMessage, error) {
	answer, _, err := c.send(ctx, request{method: http.MethodPost, path: []string{"orders", id, "retry"}})
	return answer, err
}

// RetryMany retries the orders that match, and returns the report as the API
// wrote it. What a lost request has done is not in the report of its repeat.
func (c *Client) RetryMany(ctx context.Context, which RetryRequest) (json.RawMessage, error) {
	body, err := json.Marshal(which)
	if err != nil {
		return nil, err
	}
	return c.sendPatiently(ctx, request{method: http.MethodPost, path: []string{"orders", "retry"}, body: body})
}

// Queues returns the queues as the API wrote them.
func (c *Client) Queues(ctx context.Context) (json.RawMessage, error) {
	return c.sendPatiently(ctx, request{method: http.MethodGet, path: []string{"queues"}})
}

// DamagedIn returns what was set aside of a queue, as the API wrote it.
func (c *Client) DamagedIn(ctx context.Context, queue string) (json.RawMessage, error) {
	return c.sendPatiently(ctx, request{method: http.MethodGet, path: []string{"queues", queue, "damaged"}})
}

// PauseQueue stops the work on a queue, and returns the queue as the API wrote
// it.
func (c *Client) PauseQueue(ctx context.Context, name string) (json.RawMessage, error) {
	return c.sendPatiently(ctx, request{method: http.MethodPost, path: []string{"queues", name, "pause"}})
}

// ResumeQueue has a queue worked again, and returns it as the API wrote it.
func (c *Client) ResumeQueue(ctx context.Context, name string) (json.RawMessage, error) {
	return c.sendPatiently(ctx, request{method: http.MethodPost, path: []string{"queues", name, "resume"}})
}

// Stats returns the statistics as the API wrote them.
func (c *Client) Stats(ctx context.Context) (json.RawMessage, error) {
	answer, _, err := c.send(ctx, request{method: http.MethodGet, path: []string{"stats"}})
	return answer, err
}

// Health returns nil when orders are taken and worked.
func (c *Client) Health(ctx context.Context) error {
	_, _, err := c.send(ctx, request{method: http.MethodGet, path: []string{"health"}})
	return err
}
