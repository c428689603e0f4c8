package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

// TestAudit lets two operators make every change that the API knows, some of them twice. The
// audit has who did what, and an answer names its request.
func TestAudit(t *testing.T) {
	b := open(t, withKeys, func(p *parts) { p.cfg.MonitoringWritable = true })
	for id, status := range map[string]order.Status{
		"o1": order.StatusPending, "o2": order.StatusFailed, "o3": order.StatusFailed, "o4": order.StatusHeld, "o5": order.StatusHeld,
	} {
		b.reach(t, id, status)
	}
	must(t, b.rdb.Del(t.Context(), "orders:{b0}:h").Err()) // what that took
	stored := b.ask(t, "POST", "/rules", `{"rules":[]}`, "Authorization", "Bearer admin-key").object(t, 201)
	rules := fmt.Sprint(stored["version"])
	want := []string{"operator rules.push " + rules + ": "}
	for _, do := range [][]string{
		{"POST /orders/o1/cancel", `{"reason":"ordered twice"}`, "submit-key", "shop order.cancel o1: ordered twice"},
		{"POST /orders/o1/cancel", `{"reason":"again"}`, "submit-key", ""},
		{"POST /orders/o2/retry", "", "admin-key", "operator order.retry o2: "},
		{"POST /orders/retry", `{"status":"failed"}`, "all-key", "all order.retry o3: "},
		{"POST /orders/o4/release", "", "admin-key", "operator order.release o4: "},
		{"POST /orders/o5/reject", `{"reason":"fraud"}`, "admin-key", "operator order.reject o5: fraud"},
		{"POST /queues/low/pause", "", "admin-key", "operator queue.pause low: "},
		{"POST /queues/low/resume", "", "admin-key", "operator queue.resume low: "},
		{"POST /rules/" + rules + "/shadow", "", "admin-key", "operator rules.shadow " + rules + ": "},
		{"DELETE /rules/shadow", "", "admin-key", "operator rules.end_shadow " + rules + ": "},
		{"DELETE /rules/shadow", "", "admin-key", ""},
		{"POST /rules/" + rules + "/activate", "", "admin-key", "operator rules.activate " + rules + ": "},
		{"POST /rules", `{"rules":[]}`, "admin-key", ""},
		{"POST /monitoring/api/queues/default:pause", "", "admin-key", "operator monitoring.write POST /monitoring/api/queues/default:pause: "},
		{"POST /monitoring/api/queues/default:pause", "", "read-key", ""},
		{"POST /queues/none/pause", "", "admin-key", ""},
		{"POST /orders/o2/release", "", "admin-key", ""},
	} {
		method, path, _ := strings.Cut(do[0], " ")
		b.ask(t, method, path, do[1], "Authorization", "Bearer "+do[2])
		if do[3] != "" {
			want = append(want, do[3])
		}
	}
	var got []string
	path := "/audit?limit=4"
	for path != "" {
		page := decode[struct {
			Entries []struct {
				ID, At, Actor, Action, Target, Reason string
				RequestID                             string `json:"request_id"`
			}
			NextCursor string `json:"next_cursor"`
		}](t, b.ask(t, "GET", path, "", "Authorization", "Bearer read-key"), 200)
		path = ""
		if page.NextCursor != "" {
			path = "/audit?limit=4&cursor=" + page.NextCursor
		}
		for _, e := range page.Entries {
			if e.RequestID == "" || e.At == "" {
				t.Errorf("an entry is %+v", e)
			}
			got = append([]string{e.Actor + " " + e.Action + " " + e.Target + ": " + e.Reason}, got...)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the audit (-want +got):\n%s", diff)
	}
	for filter, n := range map[string]int{"actor=shop": 1, "action=queue.pause&actor=operator": 1, "target=" + rules: 4, "target=o2&actor=shop": 0} {
		entries, _ := b.ask(t, "GET", "/audit?"+filter, "", "Authorization", "Bearer read-key").object(t, 200)["entries"].([]any)
		if len(entries) != n {
			t.Errorf("%s finds %d entries, want %d", filter, len(entries), n)
		}
	}
	cursor := b.ask(t, "GET", "/audit?limit=1", "", "Authorization", "Bearer read-key").object(t, 200)["next_cursor"]
	for query, want := range map[string]string{
		"actor=": "actor invalid", "actor=" + strings.Repeat("x", 256): "actor too_long", "action=order.delete": "action invalid",
		"target=%ff": "target invalid", "limit=0": "limit out_of_range", "limit=201": "limit out_of_range", "actor=a&actor=b": "actor too_many",
		"cursor=x": "cursor invalid", fmt.Sprintf("actor=shop&cursor=%v", cursor): "cursor invalid", "since=1": "since unknown_field",
	} {
		p := b.ask(t, "GET", "/audit?"+query, "", "Authorization", "Bearer read-key").problem(t, 400)
		if len(p.Errors) != 1 || p.Errors[0].Field+" "+string(p.Errors[0].Code) != want {
			t.Errorf("%s is answered %+v", query, p)
		}
	}
}

// TestNothingWithoutAudit changes nothing that cannot be written down.
func TestNothingWithoutAudit(t *testing.T) {
	b := open(t, func(p *parts) { p.cfg.MonitoringWritable = true })
	b.reach(t, "o1", order.StatusPending)
	b.reach(t, "o2", order.StatusFailed)
	b.reach(t, "o3", order.StatusHeld)
	must(t, b.rdb.Del(t.Context(), "orders:{b0}:h").Err())
	must(t, b.rdb.Set(t.Context(), "orders:{b0}:h", "not a stream", 0).Err())
	for path, body := range map[string]string{
		"/orders/o1/cancel": "{}", "/orders/o2/retry": "", "/orders/o3/release": "", "/queues/default/pause": "",
		"/rules": `{"rules":[]}`, "/rules/builtin/activate": "", "/monitoring/api/queues/default:pause": "",
	} {
		if a := b.ask(t, "POST", path, body); a.code != 500 {
			t.Errorf("%s is answered %d: %s", path, a.code, a.body)
		}
	}
	for id, status := range map[string]order.Status{"o1": order.StatusPending, "o2": order.StatusFailed, "o3": order.StatusHeld} {
		if rec, err := b.ledger.Get(t.Context(), id); err != nil || rec.Status != status {
			t.Errorf("%s is %s, %v", id, rec.Status, err)
		}
	}
	if _, in, err := b.ledger.RuleSets(t.Context()); b.paused(t, "default") || in.Active != order.VersionBuiltin || err != nil {
		t.Errorf("the queue or the rules have changed: %+v, %v", in, err)
	}
	must(t, b.rdb.Del(t.Context(), "orders:{b0}:h").Err())
}
