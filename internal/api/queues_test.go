package api_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

// queues asks for the queues and takes out how long the oldest task has waited.
func (b *bundle) queues(t *testing.T) []any {
	t.Helper()
	all, _ := b.ask(t, "GET", "/queues", "").object(t, 200)["queues"].([]any)
	for _, q := range all {
		takeWait(t, q)
	}
	return all
}

func takeWait(t *testing.T, queue any) {
	t.Helper()
	q, _ := queue.(map[string]any)
	if waited, ok := q["oldest_pending_seconds"].(float64); !ok || (waited > 0) != (q["pending"] != 0.0) {
		t.Errorf("queue is %v", queue)
	}
	delete(q, "oldest_pending_seconds")
}

func shown(name string, changes map[string]any) map[string]any {
	q := depth(0)
	q["name"] = name
	maps.Copy(q, changes)
	return q
}

// allShown is the JSON of all queues: empty, but for the changes.
func allShown(changes map[order.Queue]map[string]any) (all []any) {
	for _, q := range order.Queues() {
		all = append(all, shown(string(q), changes[q]))
	}
	return all
}

// TestQueues shows all queues, most urgent first, used or not.
func TestQueues(t *testing.T) {
	b := open(t)
	b.queues(t)
	b.empty(t)
	for i, change := range [][]string{
		{"priority", "1"}, {"priority", "1"}, {"priority", "3"}, {"amount", "1000.01"}, {"process_at", in(time.Hour)},
	} {
		b.ask(t, "POST", "/orders", withID(strings.Repeat("o", i+1), change...)).object(t, 201)
	}
	want := allShown(map[order.Queue]map[string]any{"critical": {"pending": 3.0}, "default": {"scheduled": 1.0}, "low": {"pending": 1.0}})
	if diff := cmp.Diff(want, b.queues(t)); diff != "" {
		t.Error(diff)
	}
}

// TestPause pauses and resumes one queue, however often, and shows it everywhere.
func TestPause(t *testing.T) {
	b := open(t)
	b.ask(t, "POST", "/orders", body()).object(t, 201)
	for _, step := range []struct {
		do     string
		paused bool
	}{{"resume", false}, {"pause", true}, {"pause", true}, {"resume", false}, {"resume", false}, {"pause", true}} {
		changes := map[string]any{"pending": 1.0, "paused": step.paused}
		want := shown("default", changes)
		got := b.ask(t, "POST", "/queues/default/"+step.do, "").object(t, 200)
		takeWait(t, got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", step.do, diff)
		}
		if diff := cmp.Diff(allShown(map[order.Queue]map[string]any{"default": changes}), b.queues(t)); diff != "" {
			t.Errorf("%s: %s", step.do, diff)
		}
		stats, _ := b.ask(t, "GET", "/stats", "").object(t, 200)["queues"].(map[string]any)
		for name, q := range stats {
			if counts, _ := q.(map[string]any); counts["paused"] != (step.paused && name == "default") {
				t.Errorf("%s: in the statistics, queue %s is %v", step.do, name, q)
			}
		}
		if n := b.rdb.Exists(t.Context(), "asynq:{default}:paused").Val(); (n == 1) != step.paused {
			t.Errorf("%s: the workers see the pause: %v", step.do, n == 1)
		}
	}
	b.ask(t, "POST", "/orders", withID("accepted-while-paused")).object(t, 201)
	b.ask(t, "POST", "/queues/default/resume", `{"ignored":true}`).object(t, 200)
	for _, name := range []string{"critical", "lo%77"} {
		if got := b.ask(t, "POST", "/queues/"+name+"/pause", "").object(t, 200); got["paused"] != true {
			t.Errorf("queue %s is %v", name, got)
		}
	}
	log := b.log.String()
	if strings.Count(log, `"msg":"queue is paused","queue":"default"`) != 3 || !strings.Contains(log, `"msg":"queue is resumed","queue":"default"`) {
		t.Errorf("the log says %s", log)
	}
}

// TestUnknownQueues cannot be paused.
func TestUnknownQueues(t *testing.T) {
	b := open(t)
	for _, name := range []string{
		"urgent", "LOW", "low%20", "%20low", "low%00", "low%0A", "l%C3%B6w", "%FF", "low;a", "low,default", "*", "lo%2577", ".low",
		"{low}", "low%7D", "asynq", strings.Repeat("low", 50), "%3Cscript%3E", "low%2Fx", "low+",
	} {
		for _, do := range []string{"pause", "resume"} {
			if p := b.ask(t, "POST", "/queues/"+name+"/"+do, "").problem(t, 404); p.Detail != "There is no queue with this name." {
				t.Errorf("%s %s: detail is %q", do, name, p.Detail)
			}
		}
	}
	b.empty(t)
}
