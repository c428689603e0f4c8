package api_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

// TestSchedule accepts an order for a later time, and one for a time that has
// passed at once.
func TestSchedule(t *testing.T) {
	b := open(t)
	now := time.Now()
	zone := func(hours int) *time.Location { return time.FixedZone("", hours*3600+1800) }
	rows := []struct {
		name, at, want, status string
	}{
		{"in an hour", when(now.Add(time.Hour).UTC()), order.FormatTime(now.Add(time.Hour)), "scheduled"},
		{"elsewhere", when(now.Add(time.Hour).In(zone(-9))), order.FormatTime(now.Add(time.Hour)), "scheduled"},
		{"almost 30 days", when(now.Add(30*24*time.Hour - time.Minute).In(zone(13))), "", "scheduled"},
		{"an hour ago", when(now.Add(-time.Hour).UTC()), order.FormatTime(now.Add(-time.Hour)), "pending"},
		{"long ago", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z", "pending"},
	}
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			id := fmt.Sprint("o", i)
			first := b.ask(t, "POST", "/orders", withID(id, "process_at", `"`+row.at+`"`))
			got := first.object(t, 201)
			if got["status"] != row.status || (row.want != "" && got["process_at"] != row.want) {
				t.Errorf("order is %s; want it %s at %s", first.body, row.status, row.want)
			}
			again := b.ask(t, "POST", "/orders", withID(id, "process_at", fmt.Sprintf("%q", got["process_at"])))
			wantReplay(t, first, again)
			if p := b.ask(t, "POST", "/orders", withID(id)).problem(t, 409); p.Type != typeConflict {
				t.Errorf("without a time, the type is %q", p.Type)
			}
		})
	}
	if scheduled, pending := b.tasks(t, "scheduled"), b.tasks(t, "pending"); scheduled != 3 || pending != 2 {
		t.Errorf("%d tasks are scheduled, %d wait", scheduled, pending)
	}
}

// TestScheduleRefuses accepts nothing for a time that is none, or out of reach.
func TestScheduleRefuses(t *testing.T) {
	b := open(t)
	for at, want := range map[string]string{
		in(30*24*time.Hour + time.Minute): "process_at out_of_range", `"9999-12-31T23:59:59Z"`: "process_at out_of_range",
		`""`: "process_at invalid", `null`: "process_at wrong_type", `1795435200`: "process_at wrong_type",
	} {
		p := b.ask(t, "POST", "/orders", body("process_at", at)).problem(t, 400)
		if diff := cmp.Diff([]string{want}, p.fields()); diff != "" {
			t.Errorf("%s: %s", at, diff)
		}
	}
	b.empty(t)
}
