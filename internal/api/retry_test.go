package api_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/api"
	"orderprocessor/internal/intake"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

// TestEveryStatus cancels orders that no attempt has begun, and gives failed and rejected
// orders another run. It answers 409 with the status of others, which stay as they are.
func TestEveryStatus(t *testing.T) {
	b := open(t)
	cancellable := []order.Status{order.StatusScheduled, order.StatusPending, order.StatusHeld, order.StatusRetrying, order.StatusCancelled}
	for _, status := range order.Statuses() {
		for _, row := range []struct {
			do, body string
			allowed  bool
		}{{"cancel", `{"reason":"why"}`, slices.Contains(cancellable, status)}, {"retry", "", status.Retryable()}} {
			id := row.do + "." + string(status)
			b.reach(t, id, status)
			before := b.ask(t, "GET", "/orders/"+id, "")
			a := b.ask(t, "POST", "/orders/"+id+"/"+row.do, row.body)
			after := b.ask(t, "GET", "/orders/"+id, "")
			if !row.allowed {
				p := a.problem(t, 409)
				if p.Type != typeStatus || p.OrderStatus != status || p.Detail != "The order is "+string(status)+"." {
					t.Errorf("%s: problem is %+v", id, p)
				}
				if string(after.body) != string(before.body) {
					t.Errorf("%s: the order was %s, it is %s", id, before.body, after.body)
				}
				continue
			}
			if string(after.body) != string(a.body) {
				t.Errorf("%s: the order is %s, the answer was %s", id, after.body, a.body)
			}
			if row.do == "retry" {
				b.checkRetried(t, id, a)
				continue
			}
			got := a.object(t, 200)
			reason := any("why")
			if status == order.StatusCancelled {
				reason = nil
			}
			if got["status"] != "cancelled" || got["cancel_reason"] != reason || got["next_attempt_at"] != nil || got["success"] != nil {
				t.Errorf("%s: order is %v", id, got)
			}
			removeTime(t, got, "processed_at")
		}
	}
	b.checkTasks(t, "pending", 2)
}

// checkRetried checks the answer to a retry, and that the order is not retried again.
func (b *bundle) checkRetried(t *testing.T, id string, a answer) {
	t.Helper()
	got := a.object(t, 202)
	attempts, _ := got["attempts"].([]any)
	if got["status"] != "pending" || len(attempts) != 1 || got["processed_at"] != nil || got["success"] != nil ||
		a.header.Get("Location") != "/orders/"+id {
		t.Errorf("%s: order is %v, headers %v", id, got, a.header)
	}
	if p := b.ask(t, "POST", "/orders/"+id+"/retry", "").problem(t, 409); p.OrderStatus != order.StatusPending {
		t.Errorf("%s: retried again, the order is %q", id, p.OrderStatus)
	}
}

// report is the answer to a retry of many orders.
type report struct {
	Count      int    `json:"count"`
	Retried    int    `json:"retried"`
	DryRun     bool   `json:"dry_run"`
	NextCursor string `json:"next_cursor"`
}

func (s *site) retry(t *testing.T, body string) report {
	t.Helper()
	return decode[report](t, s.ask(t, "POST", "/orders/retry", body), 200)
}

// TestRetryManyFilters retries the orders that match, and a dry run only counts them. Intake
// has tests of each filter.
func TestRetryManyFilters(t *testing.T) {
	b := open(t)
	outcomes := []order.Outcome{
		{Status: order.StatusFailed, Error: shopDown},
		{Status: order.StatusFailed, Error: "shop answered 422"},
		{Status: order.StatusRejected, Error: tooMany},
		{Status: order.StatusFailed, Error: shopDown},
		{Status: order.StatusCompleted},
	}
	for _, row := range []struct{ body, want string }{ // @3 is the time of order o3
		{`{"status":"failed"}`, "o3 o1 o0"},
		{`{"status":"rejected"}`, "o2"},
		{`{"status":"failed","error_contains":"answered 5"}`, "o3 o0"},
		{`{"status":"failed","error_contains":` + quoted(200, "é") + `}`, ""},
		{`{"status":"failed","older_than":"0s"}`, "o3 o1 o0"},
		{`{"status":"failed","older_than":"1h30m"}`, ""},
		{`{"status":"failed","older_than":"@3"}`, "o1 o0"},
		{`{"limit":1000,"dry_run":false,"error_contains":"422","status":"failed","older_than":"@3"}`, "o1"},
	} {
		var at time.Time
		for i, out := range outcomes {
			id := fmt.Sprint("o", i)
			rec := b.reach(t, id, order.StatusProcessing)
			b.settle(t, id, "a", out)
			if i == 3 {
				at = rec.CreatedAt
			}
		}
		text := strings.ReplaceAll(row.body, "@3", at.In(time.FixedZone("", -12*3600)).Format(time.RFC3339Nano))
		want := strings.Fields(row.want)
		dry := b.retry(t, `{"dry_run":true,`+strings.Replace(text[1:], `"dry_run":false,`, "", 1))
		if diff := cmp.Diff(report{Count: len(want), DryRun: true}, dry); diff != "" {
			t.Errorf("%s, dry run: %s", row.body, diff)
		}
		b.checkTasks(t, "pending", 0)
		if diff := cmp.Diff(report{Count: len(want), Retried: len(want)}, b.retry(t, text)); diff != "" {
			t.Errorf("%s: %s", row.body, diff)
		}
		if got := b.list(t, "/orders?status=pending").ids; !slices.Equal(got, want) {
			t.Errorf("%s: orders %q were retried; want %q", row.body, got, want)
		}
		b.checkTasks(t, "pending", len(want))
		b.reset(t)
	}
}

// TestRetryManyContinues retries all in several requests, the newest first.
func TestRetryManyContinues(t *testing.T) {
	b := open(t)
	var want []string
	for i := range 101 {
		b.reach(t, fmt.Sprint("o", i), order.StatusFailed)
		want = append(want, fmt.Sprint("o", 100-i))
	}
	var cursor string
	for retried := 0; retried < len(want); { // a busy machine ends a request before its limit
		got := b.retry(t, `{"status":"failed"`+cursor+`}`)
		retried += got.Retried
		if got.Retried < 1 || got.Retried > 100 || got.Count != got.Retried || (got.NextCursor == "") != (retried == len(want)) {
			t.Fatalf("the report after %d orders is %+v", retried, got)
		}
		if diff := cmp.Diff(want[:retried], b.list(t, "/orders?status=pending&limit=200").ids); diff != "" {
			t.Error(diff)
		}
		cursor = `,"cursor":"` + got.NextCursor + `"`
	}
}

// TestRetryManyWhenFull retries what there is room for, and returns a cursor for the rest.
func TestRetryManyWhenFull(t *testing.T) {
	b := open(t, maxQueueLength(3))
	for i := range 5 {
		b.reach(t, fmt.Sprint("o", i), order.StatusFailed, ordertest.WithCustomer("Ada"))
	}
	first := b.retry(t, `{"status":"failed"}`)
	if first.Count != 3 || first.Retried != 3 || first.NextCursor == "" {
		t.Errorf("report is %+v", first)
	}
	for _, cursor := range []string{"", `,"cursor":"` + first.NextCursor + `"`} {
		a := b.ask(t, "POST", "/orders/retry", `{"status":"failed"`+cursor+`}`)
		if p := a.problem(t, 503); p.Type != typeNoRoom || a.header.Get("Retry-After") != "10" {
			t.Errorf("type is %q, headers %v", p.Type, a.header)
		}
	}
	rest := b.retry(t, `{"status":"failed","dry_run":true,"cursor":"`+first.NextCursor+`"}`)
	if rest.Count != 2 || rest.NextCursor != "" {
		t.Errorf("the rest is %+v", rest)
	}
	if diff := cmp.Diff([]string{"o1", "o0"}, b.list(t, "/orders?status=failed").ids); diff != "" {
		t.Error(diff)
	}
}

// lastRetry remembers the last retry of many orders.
type lastRetry struct {
	failing
	createdTo    time.Time
	limit, calls int
}

func (r *lastRetry) RetryAll(_ context.Context, f intake.RetryFilter, _ order.Position, limit int, _ bool, _ order.Intervention) (intake.RetryReport, error) {
	r.createdTo, r.limit, r.calls = f.CreatedTo, limit, r.calls+1
	return intake.RetryReport{}, nil
}

// TestRetryManyRefuses counts an age from the time of the request, retries at most 100 orders
// unless the request has a limit, lists every field that is wrong, and then retries nothing.
func TestRetryManyRefuses(t *testing.T) {
	t.Parallel()
	last := &lastRetry{}
	s := serve(t, parts{Parts: api.Parts{Retries: last}})
	ages := map[string]time.Duration{"90s": 90 * time.Second, "2h30m": 150 * time.Minute, "0.5h": 30 * time.Minute, "0": 0}
	for text, age := range ages {
		before := time.Now()
		s.retry(t, fmt.Sprintf(`{"status":"failed","older_than":%q}`, text))
		if to := last.createdTo.Add(age); to.Before(before) || to.After(time.Now()) {
			t.Errorf("%s is understood as %v", text, time.Since(last.createdTo))
		}
	}
	for body, limit := range map[string]int{`{"status":"failed"}`: 100, `{"status":"failed","limit":101}`: 101} {
		if s.retry(t, body); last.limit != limit {
			t.Errorf("%s retries up to %d orders, want %d", body, last.limit, limit)
		}
	}
	for text, want := range map[string][]string{
		`{}`:                                      {"status required"},
		`{"status":""}`:                           {"status invalid"},
		`{"status":"completed"}`:                  {"status invalid"},
		`{"status":["failed"]}`:                   {"status wrong_type"},
		`{"status":"failed","force":1}`:           {"force unknown_field"},
		`{"status":"failed","<\u001b":1}`:         {"<  unknown_field"},
		`{"status":"failed","error_contains":""}`: {"error_contains required"},
		`{"status":"failed","error_contains":` + quoted(201, "é") + `}`:       {"error_contains too_long"},
		`{"status":"failed","error_contains":500}`:                            {"error_contains wrong_type"},
		`{"status":"failed","older_than":"yesterday"}`:                        {"older_than invalid"},
		`{"status":"failed","older_than":"15"}`:                               {"older_than invalid"},
		`{"status":"failed","older_than":"-1s"}`:                              {"older_than out_of_range"},
		`{"status":"failed","older_than":"9999999999h"}`:                      {"older_than invalid"},
		`{"status":"failed","older_than":15}`:                                 {"older_than wrong_type"},
		`{"status":"failed","older_than":"` + strings.Repeat("0", 64) + `s"}`: {"older_than too_long"},
		`{"status":"failed","limit":0}`:                                       {"limit out_of_range"},
		`{"status":"failed","limit":1001}`:                                    {"limit out_of_range"},
		`{"status":"failed","limit":1e400}`:                                   {"limit out_of_range"},
		`{"status":"failed","limit":"5"}`:                                     {"limit wrong_type"},
		`{"status":"failed","dry_run":"true"}`:                                {"dry_run wrong_type"},
		`{"status":"failed","cursor":""}`:                                     {"cursor invalid"},
		`{"status":"failed","cursor":null}`:                                   {"cursor wrong_type"},
		`{"colour":1,"cursor":1,"dry_run":0,"limit":0,"older_than":"x","error_contains":"","status":"x"}`: {
			"status invalid", "error_contains required", "older_than invalid", "limit out_of_range", "dry_run wrong_type",
			"cursor wrong_type", "colour unknown_field",
		},
		``:                   nil,
		`{"status":"failed"`: nil,
		`{"status":"failed","status":"rejected"}`: nil,
	} {
		s.checkRefused(t, "POST", "/orders/retry", text, want...)
	}
	if last.calls != len(ages)+2 {
		t.Errorf("orders were retried %d times", last.calls)
	}
}

// TestRetryManyCursors refuses a cursor of another list. Whether orders are only counted
// does not make another list.
func TestRetryManyCursors(t *testing.T) {
	b := open(t)
	for _, id := range []string{"o0", "o1", "o2"} {
		b.reach(t, id, order.StatusFailed)
	}
	const made = `{"status":"failed","limit":1,"dry_run":true,"older_than":"0s","error_contains":"shop"}`
	cursor := b.retry(t, made).NextCursor
	with := func(body, cursor string) string {
		return strings.TrimSuffix(body, "}") + fmt.Sprintf(`,"cursor":%q}`, cursor)
	}
	for _, body := range []string{
		`{"status":"rejected","older_than":"0s","error_contains":"shop"}`,
		`{"status":"failed","older_than":"0s","error_contains":"answered"}`,
		`{"status":"failed","older_than":"0s"}`,
		`{"status":"failed","older_than":"1s","error_contains":"shop"}`,
		`{"status":"failed","error_contains":"shop"}`,
	} {
		b.checkRefused(t, "POST", "/orders/retry", with(body, cursor), "cursor invalid")
	}
	for _, bad := range []string{b.list(t, "/orders?limit=1&status=failed").next, cursor + "=", cursor + "\n", cursor[1:], cursor[:len(cursor)-1]} {
		b.checkRefused(t, "POST", "/orders/retry", with(made, bad), "cursor invalid")
	}
	again := strings.NewReplacer(`"dry_run":true`, `"dry_run":false`, `"limit":1`, `"limit":5`).Replace(made)
	if r := b.retry(t, with(again, cursor)); r.Count != 2 || r.Retried != 2 {
		t.Errorf("report is %+v", r)
	}
}
