package e2e_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/client"
	"orderprocessor/internal/ledger"
	"orderprocessor/internal/order"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// TestEveryOutcome drives one order into each outcome, through every status on
// the way, over HTTP only.
func TestEveryOutcome(t *testing.T) { bothWays(t, testEveryOutcome) }

func testEveryOutcome(t *testing.T, s *system) {
	t.Helper()
	shop := openShop(t, func(id string, call int) int {
		switch {
		case id == "retried" && call < 3:
			return http.StatusServiceUnavailable
		case id == "exhausted":
			return http.StatusInternalServerError
		case id == "refused":
			return http.StatusUnprocessableEntity
		default:
			return http.StatusOK
		}
	})
	s.worker("ORDERS_FULFILMENT_URL="+shop.url, "ORDERS_FULFILMENT_SECRET="+secret, "ORDERS_MAX_ATTEMPTS=3")

	expedited, valuable, urgent, large, long := sample("expedited"), sample("valuable"), sample("a/../urgent#1~:=@+"), sample("large"), sample("long")
	expedited.Priority = 1
	valuable.Amount, valuable.Priority = 1000.01, 3
	urgent.Amount, urgent.Priority = 5000, 1
	large.Amount = 10000.01
	long.Items = slices.Repeat([]string{"tea"}, 51)
	edge := sample("edge")
	edge.Amount, edge.Items = 10000, slices.Repeat([]string{"tea"}, 50)
	const failure = "Order processing failed"
	rows := []struct {
		submit                                  submission
		status, queue, handling, result, reason string
		attempts, calls                         int
	}{
		{sample("standard"), "completed", "default", "standard", "Order processing completed", "", 1, 1},
		{expedited, "completed", "critical", "expedited", "Order expedited due to high priority", "", 1, 1},
		{valuable, "completed", "critical", "priority", "Order marked for priority processing", "", 1, 1},
		{urgent, "completed", "critical", "priority", "Order marked for priority processing", "", 1, 1},
		{edge, "completed", "critical", "priority", "Order marked for priority processing", "", 1, 1},
		{large, "rejected", "critical", "", failure, "order amount exceeds limit", 1, 0},
		{long, "rejected", "default", "", failure, "too many items in order", 1, 0},
		{sample("retried"), "completed", "default", "standard", "Order processing completed", "", 3, 3},
		{sample("exhausted"), "failed", "default", "standard", failure, "3 attempts used up: fulfilment answered 500", 3, 3},
		{sample("refused"), "failed", "default", "standard", failure, "fulfilment answered 422", 1, 1},
	}
	for _, row := range rows {
		if got := s.submit(row.submit); got.Header.Get("Location") != "/orders/"+url.PathEscape(row.submit.ID) {
			t.Errorf("POST %s answered the location %s", row.submit.ID, got.Header.Get("Location"))
		}
	}
	for _, row := range rows {
		o := s.settled(row.submit.ID)
		got := []any{string(o.Status), string(o.Queue), string(o.Handling), o.Result, strings.HasPrefix(o.Error, row.reason), len(o.Attempts), shop.called(o.ID)}
		want := []any{row.status, row.queue, row.handling, row.result, true, row.attempts, row.calls}
		if diff := cmp.Diff(want, got); diff != "" || (row.reason == "") != (o.Error == "") {
			t.Errorf("%s (-want +got), error %q:\n%s", row.submit.ID, o.Error, diff)
		}
	}

	again := s.Send("POST", "/orders", rows[0].submit.json())
	if again.Code != http.StatusOK || again.Header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("the repeated submission answered %d: %s", again.Code, again.Body)
	}
	other := rows[0].submit
	other.Notes = "different"
	if code := s.Send("POST", "/orders", other.json()).Code; code != http.StatusConflict {
		t.Errorf("the same id with other content answered %d", code)
	}
	if n := shop.called("standard"); n != 1 {
		t.Errorf("the shop was called %d times for a repeated submission", n)
	}
	if st := s.Stats(); st.TotalProcessed != 10 || st.SuccessCount != 6 || st.ErrorCount != 4 || st.Ledger.Drift != 0 || st.Ledger.Attempts != 14 {
		t.Errorf("stats: %+v", st)
	}
	timeline := decode[struct{ Events []client.Event }](t, s.Send("GET", "/orders/retried/events", "").Body)
	var statuses []order.Status
	for _, e := range timeline.Events {
		statuses = append(statuses, e.Status)
	}
	want := []order.Status{"pending", "processing", "retrying", "processing", "retrying", "processing", "completed"}
	if diff := cmp.Diff(want, statuses); diff != "" {
		t.Errorf("the statuses of the retried order (-want +got):\n%s", diff)
	}
}

// TestRefusedOrdersLeaveNothing sends what the API must refuse and wants
// nothing of it in Redis.
func TestRefusedOrdersLeaveNothing(t *testing.T) {
	s := start(t)
	for _, body := range []string{
		"{", "null", "[]", "{}", `{"amount":1,"amount":2}`, strings.Replace(sample("x").json(), "99.99", "1e400", 1),
		strings.Replace(sample("x").json(), `"x"`, `"x&y"`, 1), sample("x").json() + "{}",
	} {
		if code := s.Send("POST", "/orders", body).Code; code != http.StatusBadRequest {
			t.Errorf("%s answered %d", body, code)
		}
	}
	for _, key := range s.admin.Keys(t.Context(), "*").Val() {
		if key != "asynq:queues" && key != "orders:{b0}:p" && key != "orders:{b0}:n" { // the program's own
			t.Errorf("key %s was left behind", key)
		}
	}
}

// TestSeedCalls makes the three calls that every client of the first version
// makes.
func TestSeedCalls(t *testing.T) {
	s := start(t)
	s.worker()
	body := `{"amount":1500.50,"items":["laptop","mouse"],"customer":"jane@example.com","address":"1 Road","priority":1}`
	posted := s.Send("POST", "/orders", body)
	created := decode[map[string]any](t, posted.Body)
	if posted.Code != http.StatusCreated || created["status"] != "pending" || created["amount"] != 1500.5 || created["created_at"] == nil {
		t.Fatalf("POST /orders answered %d: %s", posted.Code, posted.Body)
	}
	s.settled(fmt.Sprint(created["id"]))
	got := s.Send("GET", "/stats", "")
	stats := decode[map[string]any](t, got.Body)
	for _, field := range []string{
		"total_processed", "success_count", "error_count", "average_process_time_ms", "active_workers",
		"queue_length", "uptime_seconds", "by_status", "queues", "latency_ms", "throughput_per_second", "ledger",
	} {
		if _, ok := stats[field]; !ok {
			t.Errorf("GET /stats has no %s: %s", field, got.Body)
		}
	}
	got = s.Send("GET", "/health", "")
	health := decode[map[string]any](t, got.Body)
	pool, _ := health["pool"].(map[string]any)
	if got.Code != http.StatusOK || health["status"] != "healthy" || pool["healthy"] != true || pool["workers"] == 0.0 {
		t.Errorf("GET /health answered %d: %s", got.Code, got.Body)
	}
}

// TestIDUsedAgain sends an id again after the record of its failed order has
// left: it is a new order, and is worked.
func TestIDUsedAgain(t *testing.T) {
	shop := openShop(t, func(_ string, call int) int {
		return map[bool]int{true: http.StatusBadRequest, false: http.StatusOK}[call == 1]
	})
	s := start(t)
	s.worker("ORDERS_FULFILMENT_URL=" + shop.url)
	s.submit(sample("reused"))
	if o := s.settled("reused"); o.Status != "failed" {
		t.Fatalf("the first order is %s", o.Status)
	}
	own := ledger.NewWith(s.admin, ledger.Config{Books: books()}).Books()[order.BookOf("reused", books())]
	forgotten, err := own.Forget(t.Context(), time.Now().Add(time.Hour), 1)
	if err != nil || forgotten != 1 {
		t.Fatalf("forgot %d, %v", forgotten, err)
	}
	s.submit(sample("reused"))
	if o := s.settled("reused"); o.Status != "completed" {
		t.Errorf("the second order is %s", o.Status)
	}
}

// TestMoreAttemptsMeanwhile raises the limit of attempts while an order waits
// for its last: it gets the new ones.
func TestMoreAttemptsMeanwhile(t *testing.T) {
	shop := openShop(t, func(_ string, call int) int {
		return map[bool]int{true: http.StatusServiceUnavailable, false: http.StatusOK}[call < 5]
	})
	s := start(t)
	s.submit(sample("patient"))
	few := s.worker("ORDERS_FULFILMENT_URL="+shop.url, "ORDERS_MAX_ATTEMPTS=2", "ORDERS_RETRY_BASE=3s", "ORDERS_RETRY_MAX=3s")
	s.until("the first attempt has failed", func() bool { return s.Order("patient").Status == "retrying" })
	few.Stop()
	s.worker("ORDERS_FULFILMENT_URL="+shop.url, "ORDERS_MAX_ATTEMPTS=9")
	if o := s.settled("patient"); o.Status != "completed" || len(o.Attempts) != 5 {
		t.Errorf("the order is %s after %d attempts", o.Status, len(o.Attempts))
	}
}
