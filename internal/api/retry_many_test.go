package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/api"
	"orderprocessor/internal/intake"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

// report is the answer to a retry of many.
type report struct {
	Count      int    `json:"count"`
	Retried    int    `json:"retried"`
	DryRun     bool   `json:"dry_run"`
	NextCursor string `json:"next_cursor"`
}

func (s *site) retry(t *testing.T, body string) report {
	t.Helper()
	a := s.ask(t, "POST", "/orders/retry", body)
	a.object(t, 200)
	var r report
	if err := json.Unmarshal(a.body, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// failures makes orders that failed for different reasons, o0 first, and returns when they
// were accepted.
func (b *bundle) failures(t *testing.T) []time.Time {
	t.Helper()
	outcomes := []order.Outcome{
		{Status: order.StatusFailed, Error: shopDown},
		{Status: order.StatusFailed, Error: "shop answered 422"},
		{Status: order.StatusRejected, Error: "too many items in order"},
		{Status: order.StatusFailed, Error: "shop was silent"},
		{Status: order.StatusFailed, Error: shopDown},
		{Status: order.StatusRejected, Error: "order amount exceeds limit"},
	}
	at := make([]time.Time, len(outcomes))
	for i, out := range outcomes {
		id := fmt.Sprint("o", i)
		at[i] = b.reach(t, id, order.StatusProcessing).CreatedAt
		if err := b.ledger.Settle(t.Context(), order.Claim{ID: id, Token: "a"}, out); err != nil {
			t.Fatal(err)
		}
	}
	b.reach(t, "o6", order.StatusCompleted)
	b.reach(t, "o7", order.StatusCancelled)
	return at
}

// TestRetryManyFilters retries what matches and nothing else, and counts the
// same when it is only to count.
func TestRetryManyFilters(t *testing.T) {
	b := open(t)
	rows := []struct{ name, body, want string }{ // @3 is the time of order o3, ~3 the same elsewhere
		{"failed", `{"status":"failed"}`, "o4 o3 o1 o0"},
		{"rejected", `{"status":"rejected"}`, "o5 o2"},
		{"part of the error", `{"status":"failed","error_contains":"answered 5"}`, "o4 o0"},
		{"error in other case", `{"status":"failed","error_contains":"Shop"}`, ""},
		{"error of others", `{"status":"rejected","error_contains":"answered"}`, ""},
		{"200 characters", `{"status":"failed","error_contains":` + quoted(200, "é") + `}`, ""},
		{"age that all have", `{"status":"failed","older_than":"0s"}`, "o4 o3 o1 o0"},
		{"age that none has", `{"status":"failed","older_than":"1h30m"}`, ""},
		{"time", `{"status":"failed","older_than":"@3"}`, "o1 o0"},
		{"time elsewhere", `{"status":"failed","older_than":"~3"}`, "o1 o0"},
		{"everything", `{"limit":1000,"dry_run":false,"error_contains":"422","status":"failed","older_than":"@3"}`, "o1"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			defer b.reset(t)
			at := b.failures(t)
			elsewhere := at[3].In(time.FixedZone("", -12*3600))
			text := strings.NewReplacer("@3", when(at[3]), "~3", when(elsewhere)).Replace(row.body)
			n := len(strings.Fields(row.want))
			dry := b.retry(t, `{"dry_run":true,`+strings.Replace(text[1:], `"dry_run":false,`, "", 1))
			if diff := cmp.Diff(report{Count: n, DryRun: true}, dry); diff != "" {
				t.Errorf("only to count: %s", diff)
			}
			if got := b.list(t, "/orders?status=pending").ids; len(got) != 0 {
				t.Errorf("orders %v were retried although they were only to be counted", got)
			}
			if diff := cmp.Diff(report{Count: n, Retried: n}, b.retry(t, text)); diff != "" {
				t.Error(diff)
			}
			if got := strings.Join(b.list(t, "/orders?status=pending").ids, " "); got != row.want {
				t.Errorf("orders %q were retried; want %q", got, row.want)
			}
			if tasks := b.tasks(t, "pending"); tasks != int64(n) {
				t.Errorf("%d tasks wait; want %d", tasks, n)
			}
		})
	}
}

// TestRetryManyGoesOn retries all in several requests, newest first, 100 at a time if the
// request has no limit.
func TestRetryManyGoesOn(t *testing.T) {
	b := open(t)
	var want []string
	for i := range 101 {
		b.reach(t, fmt.Sprint("o", i), order.StatusFailed)
		want = append(want, fmt.Sprint("o", 100-i))
	}
	if all := b.retry(t, `{"status":"failed","dry_run":true,"limit":101}`); all.Count != 101 || all.NextCursor != "" {
		t.Errorf("with a limit of 101, the report is %+v", all)
	}
	first := b.retry(t, `{"status":"failed"}`)
	if first.Count != 100 || first.Retried != 100 || first.NextCursor == "" {
		t.Errorf("the first report is %+v", first)
	}
	if diff := cmp.Diff(want[:100], b.list(t, "/orders?status=pending&limit=200").ids); diff != "" {
		t.Error(diff)
	}
	rest := b.retry(t, `{"status":"failed","cursor":"`+first.NextCursor+`"}`)
	if diff := cmp.Diff(report{Count: 1, Retried: 1}, rest); diff != "" {
		t.Error(diff)
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

// retries takes down what it is asked.
type retries struct {
	filter intake.RetryFilter
	after  order.Position
	limit  int
	dry    bool
	asked  int
}

func (r *retries) Retry(context.Context, string) (order.Record, error) {
	return order.Record{}, order.ErrNotFound
}

func (r *retries) RetryAll(
	_ context.Context, f intake.RetryFilter, after order.Position, limit int, dry bool,
) (intake.RetryReport, error) {
	*r = retries{f, after, limit, dry, r.asked + 1}
	return intake.RetryReport{}, nil
}

// TestRetryManyAges counts an age from the time of the request.
func TestRetryManyAges(t *testing.T) {
	t.Parallel()
	asked := &retries{}
	s := serve(t, parts{Parts: api.Parts{Retries: asked}})
	for text, age := range map[string]time.Duration{
		"90s": 90 * time.Second, "15m": 15 * time.Minute, "2h30m": 150 * time.Minute, "0.5h": 30 * time.Minute, "0": 0,
		"8760h": 365 * 24 * time.Hour,
	} {
		before := time.Now()
		s.retry(t, fmt.Sprintf(`{"status":"failed","older_than":%q}`, text))
		if to := asked.filter.CreatedTo.Add(age); to.Before(before) || to.After(time.Now()) {
			t.Errorf("%s is taken for %v", text, time.Since(asked.filter.CreatedTo))
		}
	}
}
