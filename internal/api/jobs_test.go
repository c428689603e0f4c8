package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

// TestJobs creates a job, reads it, pauses, resumes and stops it. A repetition with the same
// key meets the same job, and the audit has what was done.
func TestJobs(t *testing.T) {
	b := open(t, withKeys)
	admin := []string{"Authorization", "Bearer admin-key"}
	const job = `{"action":"retry","filter":{"status":"failed","customer":"Ada","created_from":"2026-11-01T00:00:00Z",
		"amount_min":12.5,"error_contains":"503","metadata":{"gift":"yes"}},"reason":"shop is back","limit":1000,"per_second":50,
		"stop_after_failures":20,"canary":10}`
	a := b.ask(t, "POST", "/jobs", job, append(admin, "Idempotency-Key", "k1")...)
	id, _ := a.object(t, 202)["id"].(string)
	if a.header.Get("Location") != "/jobs/"+id || a.header.Get("Idempotency-Replayed") != "" {
		t.Errorf("the headers are %v", a.header)
	}
	again := b.ask(t, "POST", "/jobs", job, append(admin, "Idempotency-Key", "k1")...)
	if again.object(t, 202)["id"] != id || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("again it is %s, %v", again.body, again.header)
	}
	b.ask(t, "POST", "/jobs", `{"action":"cancel","filter":{}}`, append(admin, "Idempotency-Key", "k1")...).problem(t, 422)
	got := b.ask(t, "GET", "/jobs/"+id, "", "Authorization", "Bearer read-key").object(t, 200)
	removeTime(t, got, "created_at")
	removeTime(t, got, "updated_at")
	want := map[string]any{
		"id": id, "action": "retry", "state": "counting", "matched": 0.0, "done": 0.0, "skipped": 0.0, "failed": 0.0,
		"outcomes": map[string]any{}, "actor": "operator", "reason": "shop is back", "limit": 1000.0, "per_second": 50.0,
		"stop_after_failures": 20.0, "canary": 10.0,
		"filter": map[string]any{
			"status": "failed", "customer": "Ada", "created_from": "2026-11-01T00:00:00.000000Z", "amount_min": 12.5,
			"error_contains": "503", "metadata": map[string]any{"gift": "yes"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the job (-want +got):\n%s", diff)
	}
	for _, step := range [][2]string{{"pause", "paused"}, {"pause", "paused"}, {"resume", "counting"}, {"stop", "stopped"}, {"stop", "stopped"}} {
		if got := b.ask(t, "POST", "/jobs/"+id+"/"+step[0], "", admin...).object(t, 202); got["state"] != step[1] {
			t.Errorf("after %s the job is %v", step[0], got)
		}
	}
	if p := b.ask(t, "POST", "/jobs/"+id+"/resume", "", admin...).problem(t, 409); !strings.HasSuffix(p.Type, ":job-ended") {
		t.Errorf("the problem is %+v", p)
	}
	for _, path := range []string{"/jobs/none", "/jobs/%00", "/jobs/a%20b"} {
		b.ask(t, "GET", path, "", "Authorization", "Bearer read-key").problem(t, 404)
		b.ask(t, "POST", path+"/stop", "", admin...).problem(t, 404)
	}
	newest, _ := b.ask(t, "POST", "/jobs", `{"action":"release","filter":{},"dry_run":true}`, admin...).object(t, 202)["id"].(string)
	var listed []string
	for _, j := range b.ask(t, "GET", "/jobs", "", "Authorization", "Bearer read-key").object(t, 200)["jobs"].([]any) {
		listed = append(listed, fmt.Sprint(j.(map[string]any)["id"]))
	}
	if diff := cmp.Diff([]string{newest, id}, listed); diff != "" {
		t.Errorf("the list (-want +got):\n%s", diff)
	}
	if jobs := b.ask(t, "GET", "/jobs?limit=1", "", "Authorization", "Bearer read-key").object(t, 200)["jobs"].([]any); len(jobs) != 1 {
		t.Errorf("of one job there are %v", jobs)
	}
	var actions []string
	for _, e := range b.ask(t, "GET", "/audit", "", "Authorization", "Bearer read-key").object(t, 200)["entries"].([]any) {
		entry := e.(map[string]any)
		actions = append(actions, fmt.Sprint(entry["action"], " ", entry["target"] == id, " ", entry["actor"], " ", entry["reason"]))
	}
	if diff := cmp.Diff([]string{
		"job.create false operator <nil>", "job.stop true operator <nil>", "job.resume true operator <nil>", "job.pause true operator <nil>",
		"job.create true operator shop is back",
	}, actions); diff != "" {
		t.Errorf("the audit (-want +got):\n%s", diff)
	}
	for i := range order.MaxRunningJobs {
		a := b.ask(t, "POST", "/jobs", `{"action":"release","filter":{}}`, admin...)
		if i < order.MaxRunningJobs-1 {
			a.object(t, 202)
		} else if p := a.problem(t, 409); !strings.HasSuffix(p.Type, ":too-many-jobs") {
			t.Errorf("the problem is %+v", p)
		}
	}
}

// TestJobsRefused lists everything that is wrong with a job, and records none.
func TestJobsRefused(t *testing.T) {
	b := open(t)
	for text, want := range map[string][]string{
		`{}`:                              {"action required", "filter required"},
		`{"action":"erase","filter":{}}`:  {"action invalid"},
		`{"action":1,"filter":[]}`:        {"action wrong_type", "filter wrong_type"},
		`{"action":"reject","filter":{}}`: {"reason required"},
		`{"action":"retry","filter":{"status":"completed"}}`:                                 {"filter.status invalid"},
		`{"action":"cancel","filter":{"status":"processing"}}`:                               {"filter.status invalid"},
		`{"action":"retry","filter":{"status":"no such"}}`:                                   {"filter.status invalid", "filter.status invalid"},
		`{"action":"retry","filter":{"customer":""}}`:                                        {"filter.customer invalid"},
		`{"action":"retry","filter":{"customer":7}}`:                                         {"filter.customer wrong_type"},
		`{"action":"retry","filter":{"created_from":"yesterday","created_to":"2026-11-01"}}`: {"filter.created_from invalid", "filter.created_to invalid"},
		`{"action":"retry","filter":{"id_prefix":"a b","queue":"fast","handling":"slow"}}`:   {"filter.id_prefix invalid", "filter.queue invalid", "filter.handling invalid"},
		`{"action":"retry","filter":{"amount_min":"1","amount_max":-1}}`:                     {"filter.amount_min wrong_type", "filter.amount_max out_of_range"},
		`{"action":"retry","filter":{"currency":"usd","country":"Germany"}}`:                 {"filter.currency invalid", "filter.country invalid"},
		`{"action":"retry","filter":{"metadata":{"a b":"x","c":1}}}`:                         {"filter.metadata.c wrong_type", "filter.metadata.a b invalid"},
		`{"action":"retry","filter":{"metadata":"x"}}`:                                       {"filter.metadata wrong_type"},
		`{"action":"retry","filter":{"metadata.a":"x","limit":"5"}}`:                         {"filter.limit unknown_field", "filter.metadata.a unknown_field"},
		`{"action":"retry","filter":{"error_contains":` + quoted(201, "é") + `}}`:            {"filter.error_contains too_long"},
		`{"action":"retry","filter":{},"reason":` + quoted(201, "é") + `}`:                   {"reason too_long"},
		`{"action":"retry","filter":{},"reason":"a\nb"}`:                                     {"reason invalid"},
		`{"action":"retry","filter":{},"limit":0,"per_second":10001,"stop_after_failures":-1,"canary":10000001,"dry_run":"no","by":1}`: {
			"limit out_of_range", "per_second out_of_range", "stop_after_failures out_of_range", "canary out_of_range",
			"dry_run wrong_type", "by unknown_field",
		},
		`{"action":"retry","filter":{},"limit":"5","per_second":1.5}`: {"limit wrong_type", "per_second out_of_range"},
		`{"action":"retry","filter":{},"limit":1e99,"canary":null}`:   {"limit out_of_range", "canary wrong_type"},
		``:                                nil,
		`{"action":"retry","action":"x"}`: nil,
	} {
		b.checkRefused(t, "POST", "/jobs", text, want...)
	}
	for query, want := range map[string]string{"limit=0": "limit out_of_range", "limit=1001": "limit out_of_range", "state=done": "state unknown_field"} {
		b.checkRefused(t, "GET", "/jobs?"+query, "", want)
	}
	if jobs, err := b.ledger.Jobs(t.Context(), 10); len(jobs) != 0 || err != nil {
		t.Errorf("jobs are %+v, %v", jobs, err)
	}
}

// TestErase creates the job that erases a customer. Neither the job nor the audit nor the
// log names whom.
func TestErase(t *testing.T) {
	b := open(t)
	a := b.ask(t, "POST", "/customers/erase", `{"customer":"Ada Lovelace"}`, "Idempotency-Key", "k1")
	id, _ := a.object(t, 202)["id"].(string)
	if a.header.Get("Location") != "/jobs/"+id {
		t.Errorf("the headers are %v", a.header)
	}
	if again := b.ask(t, "POST", "/customers/erase", `{"customer":"Ada Lovelace"}`, "Idempotency-Key", "k1"); again.object(t, 202)["id"] != id {
		t.Errorf("again it is %s", again.body)
	}
	b.ask(t, "POST", "/customers/erase", `{"customer":"Bob"}`, "Idempotency-Key", "k1").problem(t, 422)
	got := b.ask(t, "GET", "/jobs/"+id, "").object(t, 200)
	if got["action"] != "erase" || got["reason"] != "personal data erased" || len(got["filter"].(map[string]any)) != 0 {
		t.Errorf("the job is %v", got)
	}
	stored, err := b.ledger.Job(t.Context(), id)
	if err != nil || stored.Filter.Customer != "Ada Lovelace" {
		t.Errorf("the workers are to do %+v, %v", stored, err)
	}
	entries, _ := b.ask(t, "GET", "/audit?action=customer.erase", "").object(t, 200)["entries"].([]any)
	if len(entries) != 1 || strings.Contains(fmt.Sprint(entries), "Lovelace") || strings.Contains(b.log.String(), "Lovelace") {
		t.Errorf("the audit has %v, and the log is %s", entries, b.log.String())
	}
	for text, want := range map[string][]string{
		`{}`: {"customer required"}, `{"customer":""}`: {"customer required"}, `{"customer":1}`: {"customer wrong_type"},
		`{"customer":"[erased]"}`: {"customer invalid"}, `{"customer":"a\nb"}`: {"customer invalid"},
		`{"customer":` + quoted(255, "é") + `,"all":true}`: {"customer too_long", "all unknown_field"}, `[]`: nil,
	} {
		b.checkRefused(t, "POST", "/customers/erase", text, want...)
	}
}
