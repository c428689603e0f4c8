// Package fulfilment is the signed HTTP call to the shop about an approved
// order.
//
// It receives an order with the handling that the rules decided, and returns the shop's
// answer: a note, and a verdict in the error. It owns the pool of connections to the
// shop. Only what the shop stores is durable after it, keyed by the order id: a call may
// be repeated any number of times with the same key, and the shop accepts the order
// once.
package fulfilment

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"orderprocessor/internal/order"
	"orderprocessor/internal/traces"
)

// Config configures a client.
type Config struct {
	// URL is the shop's endpoint: absolute, http or https. A user and password
	// in it are sent as basic authentication.
	URL string
	// Secret signs the calls as Standard Webhooks specifies: base64, with or without
	// "whsec_" in front. Of two secrets with spaces between, each signs every call, in
	// their order. Without a secret, calls carry no webhook-signature, and the shop
	// cannot verify who sent them.
	Secret string
	// Timeout bounds one call, from waiting for a connection to the last byte of
	// the answer; above zero.
	Timeout time.Duration
	// MaxConns bounds the connections to the shop, in use and idle together;
	// above zero. A call that finds them all in use waits, within its Timeout.
	MaxConns int
	// Traces creates a span for each call; nil creates none.
	Traces trace.TracerProvider
}

// Client calls the shop. It is safe for concurrent use.
type Client struct {
	endpoint  string                      // without user and fragment
	host      string                      // of the endpoint
	user      *url.Userinfo               // nil without
	signers   []*standardwebhooks.Webhook // one for each secret
	timeout   time.Duration
	bodyTime  time.Duration
	transport *http.Transport
	tracer    trace.Tracer         // nil while traces are off
	server    []attribute.KeyValue // of each span
}

// New checks the configuration and returns a client. It does not connect. Its errors
// never quote the URL or the secret.
func New(cfg Config) (*Client, error) {
	endpoint, err := parseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	signers, err := newSigners(cfg.Secret)
	if err != nil {
		return nil, err
	}
	if cfg.Timeout <= 0 {
		return nil, errors.New("fulfilment timeout must be above zero")
	}
	if cfg.MaxConns <= 0 {
		return nil, errors.New("fulfilment connections must be above zero")
	}
	user := endpoint.User
	endpoint.User, endpoint.Fragment = nil, ""
	return &Client{
		endpoint: endpoint.String(), host: endpoint.Host, user: user, signers: signers,
		timeout: cfg.Timeout, bodyTime: bodyTime, transport: newTransport(cfg),
		tracer: traces.Tracer(cfg.Traces), server: serverOf(endpoint),
	}, nil
}

// parseURL does not return the errors of url.Parse, which quote the URL with its
// password.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("fulfilment URL is malformed")
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("fulfilment URL must begin with http:// or https://")
	}
	if u.Hostname() == "" {
		return nil, errors.New("fulfilment URL must name a host")
	}
	if _, err := strconv.ParseUint(u.Port(), 10, 16); u.Port() != "" && err != nil {
		return nil, errors.New("fulfilment URL has a port out of range")
	}
	return u, nil
}

// newTransport honours HTTP_PROXY, HTTPS_PROXY and NO_PROXY, as operators expect.
func newTransport(cfg Config) *http.Transport {
	dialer := &net.Dialer{Timeout: min(dialTimeout, cfg.Timeout)}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    min(handshakeTimeout, cfg.Timeout),
		MaxConnsPerHost:        cfg.MaxConns,
		MaxIdleConns:           cfg.MaxConns,
		MaxIdleConnsPerHost:    cfg.MaxConns,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		DisableCompression:     true, // bodies are small, and readNote bounds their decompression
		ForceAttemptHTTP2:      true, // off by default for a transport with its own dialer
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
	}
}

// Fulfil calls the shop about an approved order and returns the shop's answer, up to
// order.MaxNoteBytes of printable text, with an error as well as without. It lasts at
// most Config.Timeout.
//
// Without an error the shop has accepted the order: the status of its answer says so,
// even if the body broke off. A *order.RetryError means that the call should be
// repeated: no complete headers came, ctx ended (its error is wrapped), or the shop
// asked to be called again, no sooner than After. Its Unknown is false only if the shop
// certainly has not accepted the order, because there was no connection or the shop
// itself refused it. A *order.PermanentError means that the shop refused the order for
// good. The text of both is one line without secrets.
//
// Fulfil may be called again after any result or none. One call may also reach the shop
// twice: because of the Idempotency-Key, the transport repeats a request whose reused
// connection broke before the first byte of an answer.
func (c *Client) Fulfil(ctx context.Context, a order.Approval) (note string, err error) {
	ctx, span := c.start(ctx, a.Order.ID, a.Attempt)
	defer span.End()
	note, err = c.call(ctx, a)
	traces.Fail(span, err)
	return note, err
}

// call calls the shop within the timeout. The request carries the span of ctx.
func (c *Client) call(ctx context.Context, a order.Approval) (note string, err error) {
	call, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var connected atomic.Bool // from here on the call may reach the shop
	req, err := c.request(httptrace.WithClientTrace(call, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	}), time.Now().UTC(), a)
	if err != nil {
		return "", &order.PermanentError{Err: err}
	}
	// The transport, unlike an http.Client, follows no redirects and keeps no
	// cookies.
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return "", &order.RetryError{Unknown: connected.Load(), Err: c.unanswered(ctx, call, err)}
	}
	defer resp.Body.Close() //nolint:errcheck // the answer has been read
	recordStatus(trace.SpanFromContext(ctx), resp.StatusCode)
	return c.readNote(resp, cancel), verdict(resp.StatusCode, resp.Header, time.Now())
}

// Host returns the host and port of the endpoint, for logs. It is empty for a nil client.
func (c *Client) Host() string {
	if c == nil {
		return ""
	}
	return c.host
}

// Close closes idle connections. Calls in progress continue, and later calls open new
// connections. It may be called twice.
func (c *Client) Close() { c.transport.CloseIdleConnections() }
