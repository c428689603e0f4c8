package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

// TestAudit makes every change of the books that a person can make, each twice, and some
// that no person makes. The audit has each once, and any part of it can be asked for.
func TestAudit(t *testing.T) {
	b := open(t)
	twice := []step{
		push("v1"), activate("v1"), shadow("v2"), shadow(""), audited("low", "t1"), cancel("o1", "changed my mind"),
		release("o2", "ops"), reject("o3", "other", "fraud"), retry("o3", "r1"),
	}
	c := claim("o5", "a")
	b.do(t, acceptAll(sample("o1"), sample("o2"), sample("o3"), sample("o4"), sample("o5")), hold("o2", 0), hold("o3", 0), hold("o4", time.Microsecond))
	for _, s := range twice {
		b.do(t, s, s)
	}
	b.do(t, expire("o4", true), begin(c), settle(c, completed()))
	want := []order.AuditEntry{
		{Action: order.AuditRetry, Actor: "ops", Target: "o3"},
		{Action: order.AuditReject, Actor: "other", Target: "o3", Reason: "fraud"},
		{Action: order.AuditRelease, Actor: "ops", Target: "o2", Reason: "looks good"},
		{Action: order.AuditCancel, Actor: "ops", Target: "o1", Reason: "changed my mind", RequestID: "q1"},
		{Action: order.AuditPause, Actor: "ops", Target: "low", RequestID: "q1"},
		{Action: order.AuditEndShadow, Actor: "ops", Target: "v2", RequestID: "q1"},
		{Action: order.AuditShadow, Actor: "ops", Target: "v2", RequestID: "q1"},
		{Action: order.AuditActivate, Actor: "ops", Target: "v1", RequestID: "q1"},
		{Action: order.AuditPush, Actor: "ops", Target: "v1", RequestID: "q1"},
	}
	all := b.audit(t)
	now, err := b.Now(t.Context())
	must(t, err)
	last := now.Add(time.Minute)
	for i, e := range all {
		if e.ID == "" || now.Sub(e.At).Abs() > time.Minute || e.At.After(last) {
			t.Errorf("entry %d has the id %q and the time %v", i, e.ID, e.At)
		}
		last = e.At
		all[i].ID, all[i].At = "", time.Time{}
	}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("the audit (-want +got):\n%s", diff)
	}
	for filter, n := range map[order.AuditFilter]int{
		{Actor: "ops"}: 8, {Target: "o3"}: 2, {Action: order.AuditPush}: 1, {Actor: "other", Action: order.AuditRetry}: 0, {Actor: "op"}: 0,
	} {
		if found, next, err := b.AuditEntries(t.Context(), filter, "", 10); len(found) != n || next != "" || err != nil {
			t.Errorf("%+v finds %d entries, next %q, %v; want %d", filter, len(found), next, err, n)
		}
	}
}

// TestAuditPages reads a long audit page by page: those who are not asked for are passed,
// and a page of few matches ends early.
func TestAuditPages(t *testing.T) {
	b := open(t)
	const entries = 7000
	pipe := b.rdb.Pipeline()
	for i := range entries {
		pipe.Do(t.Context(), "XADD", "orders:{b0}:h", "*", "a", "order.retry", "w", fmt.Sprint("ops", i%3500), "t", i, "r", "", "q", "", "k", "")
	}
	_, err := pipe.Exec(t.Context())
	must(t, err)
	for name, want := range map[string]struct {
		filter order.AuditFilter
		limit  int
		pages  []int
	}{
		"all":         {order.AuditFilter{}, 3500, []int{3500, 3500, 0}},
		"one more":    {order.AuditFilter{}, 6999, []int{5000, 2000}},
		"few":         {order.AuditFilter{Actor: "ops3"}, 5, []int{1, 1}},
		"one by one":  {order.AuditFilter{Actor: "ops3"}, 1, []int{1, 1, 0}},
		"the oldest":  {order.AuditFilter{Target: "0"}, 1, []int{0, 1, 0}},
		"the newest":  {order.AuditFilter{Target: "6999"}, 1, []int{1, 0, 0}},
		"none at all": {order.AuditFilter{Actor: "nobody"}, 9, []int{0, 0}},
	} {
		var pages []int
		after := ""
		for len(pages) == 0 || after != "" {
			page, next, err := b.AuditEntries(t.Context(), want.filter, after, want.limit)
			must(t, err)
			pages, after = append(pages, len(page)), next
		}
		if diff := cmp.Diff(want.pages, pages); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
