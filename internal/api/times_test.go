package api_test

import (
	"regexp"
	"testing"
	"time"

	"orderprocessor/internal/api"
	"orderprocessor/internal/order"
)

var (
	anyTime   = regexp.MustCompile(`"\d{4}-\d\d-\d\d[Tt][^"]*"`)
	sixDigits = regexp.MustCompile(`^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"$`)
)

// timely holds that every time in an answer is in UTC with six digits of its
// fraction, and returns how many there are. All answers to the tests
// of this package pass it.
func timely(t *testing.T, body []byte) int {
	t.Helper()
	found := anyTime.FindAll(body, -1)
	for _, text := range found {
		if !sixDigits.Match(text) {
			t.Errorf("the time %s is not in UTC with six digits: %s", text, body)
		}
	}
	return len(found)
}

// TestTimesHaveSixDigits shows times with any fraction in one form, in every answer.
func TestTimesHaveSixDigits(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Time{
		time.Unix(1_764_000_000, 0).UTC(),
		time.Unix(1_764_000_000, 120_000_000).In(time.FixedZone("east", 3600)),
		time.Unix(1_764_000_000, 999_999_999).UTC(),
		time.Unix(0, 1000).UTC(),
	} {
		t.Run(at.Format(time.RFC3339Nano), func(t *testing.T) {
			t.Parallel()
			d := double{at: at, rec: order.Record{
				Order:  order.Order{ID: "o1", Content: order.Content{Amount: 100, Items: []string{"tea"}, Customer: "ada", Address: "Road", Priority: 2, ProcessAt: at}},
				Status: order.StatusRetrying, Queue: order.QueueDefault, CreatedAt: at, NextAttemptAt: at, ProcessedAt: at,
				Attempts: []order.Attempt{{Number: 1, Worker: "w", StartedAt: at, EndedAt: at, Error: "no"}},
			}}
			s := serve(t, parts{Parts: api.Parts{Intake: d, Retries: d, Records: d, Queues: d}})
			const inOrder = 6 // times of a record: process, creation, next attempt, end, and two of its attempt
			for _, row := range []struct {
				method, path, body string
				times              int
			}{
				{"POST", "/orders", body(), inOrder},
				{"GET", "/orders/o1", "", inOrder},
				{"GET", "/orders", "", inOrder},
				{"POST", "/orders/o1/cancel", "", inOrder},
				{"POST", "/orders/o1/retry", "", inOrder},
				{"GET", "/orders/o1/events", "", 1},
				{"GET", "/queues/low/corrupt", "", 1},
			} {
				a := s.ask(t, row.method, row.path, row.body)
				if times := timely(t, a.body); times != row.times {
					t.Errorf("%s %s shows %d times, not %d: %s", row.method, row.path, times, row.times, a.body)
				}
			}
		})
	}
}
