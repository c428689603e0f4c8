package spectest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"orderprocessor/internal/spectest"
)

// TestManyAtOnce shares one transport, and counts every failure but does not
// tell of all.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	wrong := correct(t, "GET /orders/{id}", "200")
	wrong.body = `{}`
	server, client, r := serve(t, func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodGet {
			speak(wrong)(w, req)
			return
		}
		speak(correct(t, "POST /orders", "201"))(w, req)
	})
	var clients sync.WaitGroup
	const each, all = 20, 10
	for range all {
		clients.Go(func() {
			for range each {
				for _, q := range []question{questions()["POST /orders"], {method: "GET", path: "/orders/order-1"}} {
					if _, _, err := send(t, client, server.URL, q); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	clients.Wait()
	if n := len(r.reports()); n != spectest.MaxReports || r.fails != each*all-spectest.MaxReports {
		t.Errorf("%d reports and %d more failures", n, r.fails)
	}
}

// fixed is a transport that gives one answer, and says nothing else of it.
type fixed struct {
	answer

	closed int
}

func (f *fixed) RoundTrip(*http.Request) (*http.Response, error) {
	header := http.Header{}
	for name, value := range f.header {
		header.Set(name, value)
	}
	return &http.Response{
		StatusCode: f.status, Header: header, Body: io.NopCloser(strings.NewReader(f.body)), ContentLength: -1,
	}, nil
}

func (f *fixed) CloseIdleConnections() { f.closed++ }

// TestTransportsBelow may be any, or none.
func TestTransportsBelow(t *testing.T) {
	t.Parallel()
	below := &fixed{answer: correct(t, "GET /health", "200")}
	c := http.Client{Transport: spectest.Transport(t, below)}
	if _, _, err := send(t, &c, "http://localhost", questions()["GET /health"]); err != nil {
		t.Error(err)
	}
	c.CloseIdleConnections()
	if below.closed != 1 {
		t.Errorf("closed %d times", below.closed)
	}
	server := httptest.NewServer(speak(correct(t, "GET /health", "200")))
	defer server.Close()
	usual := &http.Client{Transport: spectest.Transport(t, nil)}
	if _, _, err := send(t, usual, server.URL, questions()["GET /health"]); err != nil {
		t.Error(err)
	}
}
