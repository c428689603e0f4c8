package api_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/api"
	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
)

// queues requests the queues without how long the oldest task of each has waited.
func (b *bundle) queues(t *testing.T) []any {
	t.Helper()
	all, _ := b.ask(t, "GET", "/queues", "").object(t, 200)["queues"].([]any)
	for _, q := range all {
		removeWait(t, q)
	}
	return all
}

// removeWait removes how long the oldest task of a queue has waited.
func removeWait(t *testing.T, queue any) {
	t.Helper()
	q, _ := queue.(map[string]any)
	if waited, ok := q["oldest_pending_seconds"].(float64); !ok || (waited > 0) != (q["pending"] != 0.0) {
		t.Errorf("queue is %v", queue)
	}
	delete(q, "oldest_pending_seconds")
}

// queueShown is the JSON of a queue: empty, but for the changes.
func queueShown(name order.Queue, changes map[string]any) map[string]any {
	q := map[string]any{
		"name": string(name), "pending": 0.0, "active": 0.0, "scheduled": 0.0, "retry": 0.0, "archived": 0.0, "paused": false,
		"memory_percent": float64(name.Spec().MemoryPercent),
	}
	maps.Copy(q, changes)
	return q
}

// queuesShown is the JSON of all queues: empty, but for the changes.
func queuesShown(changes map[order.Queue]map[string]any) (all []any) {
	for _, q := range order.Queues() {
		all = append(all, queueShown(q, changes[q]))
	}
	return all
}

// TestQueues shows all queues, the most urgent first, used or not.
func TestQueues(t *testing.T) {
	b := open(t)
	b.queues(t)
	b.checkEmpty(t)
	for i, change := range [][]string{
		{"priority", "1"}, {"priority", "1"}, {"priority", "3"}, {"amount", "1000.01"}, {"process_at", jsonTime(time.Hour)},
	} {
		b.ask(t, "POST", "/orders", withID(fmt.Sprint("o", i), change...)).object(t, 201)
	}
	want := queuesShown(map[order.Queue]map[string]any{"critical": {"pending": 3.0}, "default": {"scheduled": 1.0}, "low": {"pending": 1.0}})
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
		got := b.ask(t, "POST", "/queues/default/"+step.do, "").object(t, 200)
		removeWait(t, got)
		if diff := cmp.Diff(queueShown("default", changes), got); diff != "" {
			t.Errorf("%s: %s", step.do, diff)
		}
		if diff := cmp.Diff(queuesShown(map[order.Queue]map[string]any{"default": changes}), b.queues(t)); diff != "" {
			t.Errorf("%s: %s", step.do, diff)
		}
		stats, _ := b.ask(t, "GET", "/stats", "").object(t, 200)["queues"].(map[string]any)
		for name, q := range stats {
			if counts, _ := q.(map[string]any); counts["paused"] != (step.paused && name == "default") {
				t.Errorf("%s: in the statistics, queue %s is %v", step.do, name, q)
			}
		}
		if b.paused(t, "default") != step.paused {
			t.Errorf("%s: to workers it is paused: %t", step.do, !step.paused)
		}
	}
	b.ask(t, "POST", "/orders", withID("accepted-while-paused")).object(t, 201)
	b.ask(t, "POST", "/queues/default/resume", `{"ignored":true}`).object(t, 200)
	for path, name := range map[string]string{"critical": "critical", "lo%77": "low"} {
		got := b.ask(t, "POST", "/queues/"+path+"/pause", "").object(t, 200)
		if got["name"] != name || got["paused"] != true || !b.paused(t, name) {
			t.Errorf("queue %s is %v, and to workers it is paused: %t", name, got, b.paused(t, name))
		}
	}
	log := b.log.String()
	if strings.Count(log, `"msg":"queue is paused","queue":"default"`) != 3 || !strings.Contains(log, `"msg":"queue is resumed","queue":"default"`) {
		t.Errorf("the log is %s", log)
	}
}

// TestCorrupt lists the corrupt tasks of one queue, the newest first, up to a bound.
func TestCorrupt(t *testing.T) {
	b := open(t)
	tasks, err := queue.NewTasks(b.rdb, 1)
	must(t, err)
	for n := range api.MaxCorruptListed + 1 {
		id := fmt.Sprint("o", n)
		must(t, b.rdb.HSet(t.Context(), "asynq:{low}:t:"+id, "msg", "\xff\x00").Err())
		if found, err := tasks.StoreCorrupt(t.Context(), order.QueueLow, id); !found || err != nil {
			t.Fatalf("stored: %t, %v", found, err)
		}
	}
	for _, q := range order.Queues() {
		got := b.ask(t, "GET", "/queues/"+string(q)+"/corrupt", "").object(t, 200)
		found, _ := got["tasks"].([]any)
		if q != order.QueueLow {
			if got["queue"] != string(q) || len(found) != 0 {
				t.Errorf("%s has %v", q, got)
			}
			continue
		}
		if got["queue"] != "low" || len(found) != api.MaxCorruptListed {
			t.Fatalf("%d tasks of %v are listed", len(found), got["queue"])
		}
		newest, _ := found[0].(map[string]any)
		removeTime(t, newest, "found_at")
		want := map[string]any{"order_id": fmt.Sprint("o", api.MaxCorruptListed), "message": "/wA="}
		if diff := cmp.Diff(want, newest); diff != "" {
			t.Error(diff)
		}
	}
}
