package chaos_test

import (
	"fmt"
	"net/http"
	"slices"

	"orderprocessor/internal/client"
	"orderprocessor/test/kit"
)

// progress changes whenever an order moves on.
func progress(v kit.Stats) string {
	return fmt.Sprint(v.Ledger.Accepted, v.Ledger.Attempts, v.ByStatus)
}

// unsettled counts the orders without an outcome.
func unsettled(v kit.Stats) (n int64) {
	for status, count := range v.ByStatus {
		if !status.Settled() {
			n += count
		}
	}
	return n
}

// queued counts the tasks that wait or are worked.
func queued(v kit.Stats) (n int64) {
	for _, q := range v.Queues {
		n += q.Pending + q.Active + q.Scheduled + q.Retry
	}
	return n
}

// get asks the first API that answers.
func (s *system) get(path string, into any) (err error) {
	for _, l := range s.apis {
		if err = s.client.At(l.current.Load().url).Get(path, into); err == nil {
			return nil
		}
	}
	return err
}

// stats returns the statistics, empty ones while no API answers.
func (s *system) stats() (v kit.Stats, ok bool) {
	ok = s.get("/stats", &v) == nil
	return v, ok
}

// list returns the first page of the orders that match a query.
func (s *system) list(query string) ([]client.Order, error) {
	var page struct {
		Orders []client.Order `json:"orders"`
	}
	err := s.get("/orders?"+query, &page)
	return page.Orders, err
}

// all returns all orders.
func (s *system) all() []client.Order {
	s.t.Helper()
	return s.client.At(s.apis[0].current.Load().url).Orders()
}

// send sends a request of an operator to the first API. The code of the answer is 0 if
// there is none.
func (s *system) send(path, body string, headers ...string) kit.Answer {
	got, err := s.client.At(s.apis[0].current.Load().url).Ask(http.MethodPost, path, body, headers...)
	if err != nil {
		return kit.Answer{}
	}
	return got
}

// operate sends a request of an operator until it is answered with anything but 503. A
// request without an answer may have been applied, and its repeat is then refused.
func (s *system) operate(path, body string, headers ...string) (got kit.Answer) {
	s.t.Helper()
	s.until("POST "+path+" is answered", func() bool {
		got = s.send(path, body, headers...)
		return got.Code != 0 && got.Code != http.StatusServiceUnavailable
	})
	if got.Code >= 500 || slices.Contains([]int{http.StatusBadRequest, http.StatusNotFound, http.StatusUnsupportedMediaType}, got.Code) {
		s.t.Errorf("POST %s was answered %d: %s", path, got.Code, got.Body)
	}
	return got
}
