// Package kit has what the tests of the whole system share: a client of the API that
// repeats requests as clients should, a view of the statistics, Redis servers with
// Sentinels, and the commands of a document.
package kit

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
)

// API is a client of one API. It is safe for concurrent use.
type API struct {
	URL  string
	HTTP *http.Client
	tb   testing.TB
}

// Answer is what the API answered.
type Answer struct {
	Code   int
	Header http.Header
	Body   []byte
	// Repeated means that Redis did not answer the API in time at first. That request may
	// have been applied.
	Repeated bool
}

// NewAPI returns a client of the API at a URL. Connections close with the test. Wrap may
// wrap the transport, or be nil.
func NewAPI(tb testing.TB, url string, wrap func(tb testing.TB, next http.RoundTripper) http.RoundTripper) *API {
	tb.Helper()
	// The API ends a connection that brings no request within ten seconds, perhaps just
	// when one is sent on it.
	transport := &http.Transport{MaxIdleConnsPerHost: 256, IdleConnTimeout: 5 * time.Second}
	tb.Cleanup(transport.CloseIdleConnections)
	a := &API{URL: url, HTTP: &http.Client{Timeout: programtest.Patience, Transport: transport}, tb: tb}
	if wrap != nil {
		a.HTTP.Transport = wrap(tb, transport)
	}
	return a
}

// At returns a client of another API that shares the connections.
func (a *API) At(url string) *API { return &API{URL: url, HTTP: a.HTTP, tb: a.tb} }

// Ask sends a request. Headers alternate names and values. A body is JSON unless a header
// gives another type.
func (a *API) Ask(method, path, body string, headers ...string) (Answer, error) {
	// The test's own context ends before its clean-up, which asks as well.
	req, err := http.NewRequestWithContext(context.Background(), method, a.URL+path, strings.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := a.HTTP.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return Answer{Code: resp.StatusCode, Header: resp.Header, Body: text}, err
}

// AskRepeatedly is Ask, and asks again while Redis does not answer the API in time, as the
// machine may be busy. If that recorded an order already, its answer counts as 201.
func (a *API) AskRepeatedly(method, path, body string, headers ...string) (got Answer, err error) {
	repeated := false
	programtest.Poll(programtest.Patience, func() bool {
		got, err = a.Ask(method, path, body, headers...)
		again := got.Code == http.StatusServiceUnavailable && strings.Contains(string(got.Body), "redis-unavailable")
		repeated = repeated || again
		return !again
	})
	got.Repeated = repeated
	if repeated && method == http.MethodPost && path == "/orders" && got.Code == http.StatusOK {
		got.Code = http.StatusCreated
	}
	return got, err
}

// Send is AskRepeatedly; a request without an answer ends the test.
func (a *API) Send(method, path, body string, headers ...string) Answer {
	a.tb.Helper()
	got, err := a.AskRepeatedly(method, path, body, headers...)
	if err != nil {
		a.tb.Fatal(err)
	}
	return got
}

// Get decodes the answer to a GET request into a value.
func (a *API) Get(path string, into any) error {
	got, err := a.AskRepeatedly(http.MethodGet, path, "")
	if err == nil && got.Code != http.StatusOK {
		err = fmt.Errorf("answered %d: %.300s", got.Code, got.Body)
	}
	if err == nil {
		err = json.Unmarshal(got.Body, into)
	}
	if err != nil {
		return fmt.Errorf("GET %s%s: %w", a.URL, path, err)
	}
	return nil
}

func (a *API) mustGet(path string, into any) {
	a.tb.Helper()
	if err := a.Get(path, into); err != nil {
		a.tb.Fatal(err)
	}
}

// AwaitServing waits until the API has found its Redis. An API that asks for a key serves.
// Headers are as in Ask.
func (a *API) AwaitServing(headers ...string) {
	a.tb.Helper()
	programtest.Until(a.tb, "the API serves", func() bool {
		got, err := a.Ask(http.MethodGet, "/stats", "", headers...)
		return err == nil && got.Code < http.StatusInternalServerError
	})
}

// Stats is what the tests read of the statistics.
type Stats struct {
	TotalProcessed int64                        `json:"total_processed"`
	SuccessCount   int64                        `json:"success_count"`
	ErrorCount     int64                        `json:"error_count"`
	ActiveWorkers  int                          `json:"active_workers"`
	ByStatus       map[order.Status]int64       `json:"by_status"`
	Queues         map[order.Queue]client.Queue `json:"queues"`
	Ledger         struct {
		Accepted int64 `json:"accepted"`
		Attempts int64 `json:"attempts"`
		Requeued int64 `json:"requeued"`
		Retried  int64 `json:"retried"`
		Drift    int64 `json:"drift"`
	} `json:"ledger"`
}

// Stats returns the statistics.
func (a *API) Stats() (s Stats) {
	a.tb.Helper()
	a.mustGet("/stats", &s)
	return s
}

// Order returns an order.
func (a *API) Order(id string) (o client.Order) {
	a.tb.Helper()
	a.mustGet("/orders/"+url.PathEscape(id), &o)
	return o
}

// Orders returns all orders, from page to page.
func (a *API) Orders() (all []client.Order) {
	a.tb.Helper()
	for path := "/orders?limit=200"; path != ""; {
		var p struct {
			Orders     []client.Order `json:"orders"`
			NextCursor string         `json:"next_cursor"`
		}
		a.mustGet(path, &p)
		all, path = append(all, p.Orders...), ""
		if p.NextCursor != "" {
			path = "/orders?limit=200&cursor=" + url.QueryEscape(p.NextCursor)
		}
	}
	return all
}
