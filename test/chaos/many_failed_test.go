package chaos_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"orderprocessor/internal/client"
)

// TestManyFail has the shop refuse more orders for good than Asynq keeps in an
// archive, which is 9,999. All of them are listed and can be retried, and complete
// when the shop has changed its mind.
func TestManyFail(t *testing.T) {
	total := shortOrLong(10_500, 12_000)
	s := open(t, "h all orders fail, and are retried")
	var accepts atomic.Bool // the shop accepts orders
	s.shop.respond = func(string, int) reply {
		if accepts.Load() {
			return reply{Status: http.StatusOK}
		}
		return reply{Status: http.StatusUnprocessableEntity}
	}
	s.addAPIs(1)
	s.addWorkers(1)
	s.faults.Add(1)
	s.submitBatches(total, func(n int) submission {
		o := plain(fmt.Sprintf("dead-%05d", n), n)
		o.Priority = 2 // one queue, one archive
		return o
	})
	s.awaitRest()
	s.wantFailed(total)
	if n := s.rdb.ZCard(t.Context(), queueStart+"default}:archived").Val(); n != 9_999 {
		t.Errorf("Asynq has %d orders in its archive after %d failed, so its bound was not passed", n, total)
	}
	accepts.Store(true)
	s.retryAll()
	if v, ok := s.stats(); !ok || v.Ledger.Retried != int64(total) {
		t.Errorf("%d orders were retried, want %d", v.Ledger.Retried, total)
	}
	a := s.conclude()
	if len(a.listed) != total {
		t.Errorf("%d orders are recorded, want %d", len(a.listed), total)
	}
}

// submitBatches sends orders in batches of 2,000 and journals each one's answer.
func (s *system) submitBatches(total int, nth func(n int) submission) {
	s.t.Helper()
	const most = 2000
	for from := 0; from < total; from += most {
		batch := make([]submission, 0, most)
		for n := from; n < min(from+most, total); n++ {
			batch = append(batch, nth(n))
		}
		for try := 1; len(batch) > 0; try++ {
			batch = s.submitBatch(batch, try)
		}
	}
}

// submitBatch sends orders and returns those that are to be sent again, as Redis did not
// answer in time.
func (s *system) submitBatch(batch []submission, try int) (again []submission) {
	s.t.Helper()
	var body strings.Builder
	for _, o := range batch {
		body.WriteString(o.json() + "\n")
	}
	begun := time.Now()
	answer := s.operate("/orders/batch", body.String(), "Content-Type", "application/x-ndjson").Body
	for i, line := range bytes.Split(bytes.TrimSpace(answer), []byte("\n")) {
		var v struct {
			Status int `json:"status"`
		}
		o := batch[i]
		err := json.Unmarshal(line, &v)
		switch {
		case err == nil && v.Status == http.StatusServiceUnavailable:
			again = append(again, o)
		case err != nil || v.Status != http.StatusCreated && (try == 1 || v.Status != http.StatusOK):
			s.t.Fatalf("order %s was answered %s, %v", o.ID, line, err)
		}
		s.client.note(o, begun, try, strconv.Itoa(v.Status), "")
	}
	return again
}

// wantFailed wants so many orders to be listed as failed, and no others.
func (s *system) wantFailed(total int) {
	s.t.Helper()
	failed := 0
	for _, o := range s.all() {
		if o.Status == "failed" {
			failed++
		}
	}
	if v, ok := s.stats(); failed != total || !ok || v.ByStatus["failed"] != int64(total) {
		s.t.Errorf("%d orders are listed as failed, %d are counted, want %d", failed, v.ByStatus["failed"], total)
	}
}

// retryAll retries all failed orders, a thousand at a time.
func (s *system) retryAll() {
	s.t.Helper()
	request := client.RetryRequest{Status: "failed", Limit: 1000}
	for {
		body, _ := json.Marshal(request)
		var report client.RetryReport
		if got := s.operate("/orders/retry", string(body)); got.Code != http.StatusOK || json.Unmarshal(got.Body, &report) != nil {
			s.t.Fatalf("the retry was answered %d: %s", got.Code, got.Body)
		}
		if request.Cursor = report.NextCursor; request.Cursor == "" {
			return
		}
	}
}
