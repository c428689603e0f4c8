package api_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/api"
	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
)

// TestCorrupt lists what was set aside of one queue, newest first and bounded.
func TestCorrupt(t *testing.T) {
	b := open(t)
	tasks, err := queue.NewTasks(b.rdb)
	if err != nil {
		t.Fatal(err)
	}
	list := func(name string) []any {
		t.Helper()
		got := b.ask(t, "GET", "/queues/"+name+"/corrupt", "").object(t, 200)
		if got["queue"] != name {
			t.Errorf("the queue is %v", got["queue"])
		}
		found, _ := got["tasks"].([]any)
		return found
	}
	for _, q := range order.Queues() {
		if found := list(string(q)); len(found) != 0 {
			t.Errorf("%s has %v", q, found)
		}
	}
	for n := range api.MaxCorruptListed + 1 {
		id := fmt.Sprint("o", n)
		b.rdb.HSet(t.Context(), "asynq:{low}:t:"+id, "msg", "\xff\x00")
		if found, err := tasks.StoreCorrupt(t.Context(), order.QueueLow, id); !found || err != nil {
			t.Fatalf("set aside: %t, %v", found, err)
		}
	}
	found := list("low")
	if len(found) != api.MaxCorruptListed {
		t.Fatalf("%d are listed", len(found))
	}
	newest, _ := found[0].(map[string]any)
	if newest["found_at"] == nil {
		t.Errorf("it has no time: %v", newest)
	}
	delete(newest, "found_at")
	want := map[string]any{"order_id": fmt.Sprint("o", api.MaxCorruptListed), "message": "/wA="}
	if diff := cmp.Diff(want, newest); diff != "" {
		t.Error(diff)
	}
	b.ask(t, "GET", "/queues/none/corrupt", "").problem(t, 404)
}
