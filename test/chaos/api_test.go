package chaos_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// orderView is what the auditor reads of an order.
type orderView struct {
	ID        string        `json:"id"`
	Amount    json.Number   `json:"amount"`
	Customer  string        `json:"customer"`
	Status    string        `json:"status"`
	Queue     string        `json:"queue"`
	Result    string        `json:"result"`
	Error     string        `json:"error"`
	CreatedAt time.Time     `json:"created_at"`
	Attempts  []attemptView `json:"attempts"`
}

// attemptView is what the auditor reads of an attempt.
type attemptView struct {
	Number    int        `json:"number"`
	WorkerID  string     `json:"worker_id"`
	StartedAt time.Time  `json:"started_at"`
	EndedAt   *time.Time `json:"ended_at"`
	Error     string     `json:"error"`
}

// settled reports whether the order has its outcome.
func (o orderView) settled() bool {
	switch o.Status {
	case "completed", "rejected", "failed", "cancelled":
		return true
	default:
		return false
	}
}

// statsView is what the auditor reads of the statistics.
type statsView struct {
	TotalProcessed int64            `json:"total_processed"`
	SuccessCount   int64            `json:"success_count"`
	ErrorCount     int64            `json:"error_count"`
	ByStatus       map[string]int64 `json:"by_status"`
	Queues         map[string]struct {
		Pending   int64 `json:"pending"`
		Active    int64 `json:"active"`
		Scheduled int64 `json:"scheduled"`
		Retry     int64 `json:"retry"`
	} `json:"queues"`
	Ledger struct {
		Accepted int64 `json:"accepted"`
		Attempts int64 `json:"attempts"`
		Requeued int64 `json:"requeued"`
		Retried  int64 `json:"retried"`
		Drift    int64 `json:"drift"`
	} `json:"ledger"`
}

// progress changes whenever an order moves on.
func (v statsView) progress() string {
	return fmt.Sprint(v.Ledger.Accepted, v.Ledger.Attempts, v.ByStatus)
}

// unsettled counts the orders without an outcome.
func (v statsView) unsettled() int64 {
	var n int64
	for status, count := range v.ByStatus {
		if !(orderView{Status: status}).settled() {
			n += count
		}
	}
	return n
}

// queued counts the tasks that wait or are worked.
func (v statsView) queued() int64 {
	var n int64
	for _, q := range v.Queues {
		n += q.Pending + q.Active + q.Scheduled + q.Retry
	}
	return n
}

// get asks the first API that answers.
func (s *system) get(path string, into any) error {
	var last error
	for _, l := range s.apis {
		if last = s.ask(l.current.Load().url+path, into); last == nil {
			return nil
		}
	}
	return last
}

func (s *system) ask(address string, into any) error {
	resp, err := s.client.http.Get(address)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", address, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// stats returns the statistics, empty ones while no API answers.
func (s *system) stats() (v statsView, ok bool) {
	ok = s.get("/stats", &v) == nil
	return v, ok
}

// page is one page of the list of orders.
type page struct {
	Orders     []orderView `json:"orders"`
	NextCursor string      `json:"next_cursor"`
}

// page asks for a page of orders.
func (s *system) page(query string) (p page, err error) {
	err = s.get("/orders?"+query, &p)
	return p, err
}

// list walks through all orders.
func (s *system) list() []orderView {
	s.t.Helper()
	var all []orderView
	for cursor := ""; ; {
		query := "limit=200"
		if cursor != "" {
			query += "&cursor=" + url.QueryEscape(cursor)
		}
		p, err := s.page(query)
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, p.Orders...)
		if cursor = p.NextCursor; cursor == "" {
			return all
		}
	}
}

// send sends a request of an operator to the first API, and returns the status of the
// answer, 0 without one, and its body. The body of the request is JSON, unless it is of
// another type.
func (s *system) send(path, body string, contentType ...string) (status int, answer []byte) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.apis[0].current.Load().url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", append(contentType, "application/json")[0])
	}
	resp, err := s.client.http.Do(req)
	if err != nil {
		return 0, nil
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err = io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil
	}
	return resp.StatusCode, answer
}

// operate sends a request of an operator until it is answered with anything but 503. A
// request without an answer may have been applied, and its repeat is then refused.
func (s *system) operate(path, body string, contentType ...string) (status int, answer []byte) {
	s.t.Helper()
	s.until("POST "+path+" is answered", patience, func() bool {
		status, answer = s.send(path, body, contentType...)
		return status != 0 && status != http.StatusServiceUnavailable
	})
	if status >= 500 || slices.Contains([]int{http.StatusBadRequest, http.StatusNotFound, http.StatusUnsupportedMediaType}, status) {
		s.t.Errorf("POST %s was answered %d: %s", path, status, answer)
	}
	return status, answer
}
