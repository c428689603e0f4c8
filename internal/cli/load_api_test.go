package cli_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// loadAPI is an API that keeps what it is sent, and answers as the test says.
type loadAPI struct {
	*httptest.Server
	mu     sync.Mutex
	posts  []post
	asked  int // how often for the statistics
	stats  []string
	answer func(n int, w http.ResponseWriter, r *http.Request)
}

// post is one request with orders.
type post struct {
	path, kind, key string
	orders          []loadOrder
	bytes           int
}

type loadOrder struct {
	ID       string      `json:"id"`
	Amount   json.Number `json:"amount"`
	Items    []string    `json:"items"`
	Priority int         `json:"priority"`
}

// newLoadAPI answers the n-th request with orders as told, counted from 1; without
// an answer it takes everything. Each look at the statistics gets the next of them,
// those behind the last one get the last.
func newLoadAPI(t *testing.T, answer func(n int, w http.ResponseWriter, r *http.Request), stats ...string) *loadAPI {
	t.Helper()
	if answer == nil {
		answer = func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) }
	}
	if len(stats) == 0 {
		stats = []string{statsWith(0, 0, 0)}
	}
	a := &loadAPI{stats: stats, answer: answer}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

func (a *loadAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		a.serveStats(w)
		return
	}
	body, _ := io.ReadAll(r.Body)
	p := post{path: r.URL.Path, kind: r.Header.Get("Content-Type"), key: r.Header.Get("Authorization"), bytes: len(body)}
	for line := range strings.Lines(string(body)) {
		var o loadOrder
		_ = json.Unmarshal([]byte(line), &o)
		p.orders = append(p.orders, o)
	}
	a.mu.Lock()
	a.posts = append(a.posts, p)
	n := len(a.posts)
	a.mu.Unlock()
	a.answer(n, w, r)
}

func (a *loadAPI) serveStats(w http.ResponseWriter) {
	a.mu.Lock()
	defer a.mu.Unlock()
	text := a.stats[min(a.asked, len(a.stats)-1)]
	a.asked++
	if text == "" {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = io.WriteString(w, text)
}

func (a *loadAPI) sent() []post {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]post(nil), a.posts...)
}

// statsWith is the statistics of a system with so many orders.
func statsWith(accepted, completed, pending int) string {
	const latency = `{"p50":1.5,"p95":2.5,"p99":3.5}`
	return fmt.Sprintf(`{"active_workers":64,"by_status":{"completed":%d,"pending":%d,"scheduled":7,"retrying":2},
		"latency_ms":{"queue_wait":%s,"processing":%s,"end_to_end":%s},"ledger":{"accepted":%d,"drift":0}}`,
		completed, pending, latency, latency, latency, accepted)
}

// loadResult is what the tests read of the JSON.
type loadResult struct {
	Run           string  `json:"run"`
	Interrupted   bool    `json:"interrupted"`
	Sent          int     `json:"sent"`
	SentPerSecond float64 `json:"sent_per_second"`
	RateKept      bool    `json:"rate_kept"`
	Accepted      int     `json:"accepted"`
	Refused       []struct {
		Status int    `json:"status"`
		Reason string `json:"reason"`
		Orders int    `json:"orders"`
	} `json:"refused"`
	NoAnswer       int    `json:"no_answer"`
	NoAnswerReason string `json:"no_answer_reason"`
	LatencyMS      struct {
		P50 float64 `json:"p50"`
		P90 float64 `json:"p90"`
		P99 float64 `json:"p99"`
		Max float64 `json:"max"`
	} `json:"latency_ms"`
	System *struct {
		Accepted      int  `json:"accepted"`
		Settled       int  `json:"settled"`
		BacklogBefore int  `json:"backlog_before"`
		BacklogAfter  int  `json:"backlog_after"`
		KeptUp        bool `json:"kept_up"`
		Latency       struct {
			EndToEnd struct {
				P95 float64 `json:"p95"`
			} `json:"end_to_end"`
		} `json:"latency_ms_of_last_five_minutes"`
	} `json:"system"`
}

// loadJSON runs a load and returns its result.
func loadJSON(t *testing.T, api *loadAPI, status int, args ...string) loadResult {
	t.Helper()
	c := orderctl(t, append([]string{"load", "--api", api.URL, "-o", "json"}, args...)...)
	c.mustEnd(t, status)
	var r loadResult
	if err := json.Unmarshal([]byte(c.stdout.String()), &r); err != nil {
		t.Fatalf("%s: %v", c.stdout.String(), err)
	}
	return r
}
