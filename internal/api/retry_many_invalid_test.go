package api_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"orderprocessor/internal/api"
	"orderprocessor/internal/order"
)

// TestRetryManyRefuses names every field that is wrong, all at once, and retries
// nothing.
func TestRetryManyRefuses(t *testing.T) {
	t.Parallel()
	asked := &retries{}
	s := serve(t, parts{Parts: api.Parts{Retries: asked}})
	rows := []struct {
		name, body string
		want       []string // nil for what is no JSON object
	}{
		{"empty object", `{}`, []string{"status required"}},
		{"empty status", `{"status":""}`, []string{"status invalid"}},
		{"other status", `{"status":"completed"}`, []string{"status invalid"}},
		{"list of statuses", `{"status":["failed","rejected"]}`, []string{"status wrong_type"}},
		{"empty error", `{"status":"failed","error_contains":""}`, []string{"error_contains required"}},
		{"error of 201 characters", `{"status":"failed","error_contains":` + quoted(201, "é") + `}`, []string{"error_contains too_long"}},
		{"error is a number", `{"status":"failed","error_contains":500}`, []string{"error_contains wrong_type"}},
		{"age in words", `{"status":"failed","older_than":"yesterday"}`, []string{"older_than invalid"}},
		{"age without a unit", `{"status":"failed","older_than":"15"}`, []string{"older_than invalid"}},
		{"age of the future", `{"status":"failed","older_than":"-1s"}`, []string{"older_than out_of_range"}},
		{"huge age", `{"status":"failed","older_than":"9999999999h"}`, []string{"older_than invalid"}},
		{"age is a number", `{"status":"failed","older_than":15}`, []string{"older_than wrong_type"}},
		{"age of 65 characters", `{"status":"failed","older_than":"` + strings.Repeat("0", 64) + `s"}`, []string{"older_than too_long"}},
		{"limit 0", `{"status":"failed","limit":0}`, []string{"limit out_of_range"}},
		{"limit 1001", `{"status":"failed","limit":1001}`, []string{"limit out_of_range"}},
		{"huge limit", `{"status":"failed","limit":1e400}`, []string{"limit out_of_range"}},
		{"limit is text", `{"status":"failed","limit":"5"}`, []string{"limit wrong_type"}},
		{"dry run in words", `{"status":"failed","dry_run":"true"}`, []string{"dry_run wrong_type"}},
		{"empty cursor", `{"status":"failed","cursor":""}`, []string{"cursor invalid"}},
		{"cursor is null", `{"status":"failed","cursor":null}`, []string{"cursor wrong_type"}},
		{"unknown field", `{"status":"failed","force":true}`, []string{"force unknown_field"}},
		{"markup", `{"status":"failed","<b>\u001b":true}`, []string{"<b>  unknown_field"}},
		{
			"everything",
			`{"colour":1,"cursor":1,"dry_run":0,"limit":0,"older_than":"x","error_contains":"","status":"x"}`,
			[]string{
				"status invalid", "error_contains required", "older_than invalid", "limit out_of_range", "dry_run wrong_type",
				"cursor wrong_type", "colour unknown_field",
			},
		},
		{"empty body", ``, nil},
		{"cut off", `{"status":"failed"`, nil},
		{"twice", `{"status":"failed","status":"rejected"}`, nil},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) { s.wantRefusal(t, "POST", "/orders/retry", row.body, row.want...) })
	}
	if asked.asked > 0 {
		t.Errorf("retries were asked for %d times", asked.asked)
	}
}

// TestRetryManyCursors refuses a cursor of any other list than the one that it
// was made for. Whether orders are only counted does not make another list.
func TestRetryManyCursors(t *testing.T) {
	b := open(t)
	for _, id := range []string{"o0", "o1", "o2"} {
		b.reach(t, id, order.StatusFailed)
	}
	made := `{"status":"failed","limit":1,"dry_run":true,"older_than":"0s","error_contains":"shop"}`
	cursor := b.retry(t, made).NextCursor
	listed := b.list(t, "/orders?limit=1&status=failed").next
	rows := []struct{ name, body string }{
		{"another status", `{"status":"rejected","older_than":"0s","error_contains":"shop"}`},
		{"another error", `{"status":"failed","older_than":"0s","error_contains":"answered"}`},
		{"no error", `{"status":"failed","older_than":"0s"}`},
		{"another age", `{"status":"failed","older_than":"1s","error_contains":"shop"}`},
		{"no age", `{"status":"failed","error_contains":"shop"}`},
	}
	with := func(body, cursor string) string {
		text, _ := json.Marshal(cursor)
		return strings.TrimSuffix(body, "}") + `,"cursor":` + string(text) + "}"
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b.wantRefusal(t, "POST", "/orders/retry", with(row.body, cursor), "cursor invalid")
		})
	}
	for _, bad := range []string{listed, cursor + "=", cursor + "\n", cursor[1:], cursor[:len(cursor)-1]} {
		b.ask(t, "POST", "/orders/retry", with(made, bad)).problem(t, 400)
	}
	b.ask(t, "GET", of(url.Values{"status": {"failed"}, "cursor": {cursor}}), "").problem(t, 400)
	again := strings.NewReplacer(`"dry_run":true`, `"dry_run":false`, `"limit":1`, `"limit":5`).Replace(made)
	if r := b.retry(t, with(again, cursor)); r.Count != 2 || r.Retried != 2 {
		t.Errorf("report is %+v", r)
	}
}
