package chaos_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// forgery is one thing that must not be, and how many findings of each kind the
// auditor must have.
type forgery struct {
	name  string
	forge func(s *system)
	undo  func(s *system) // restores Redis; the journals are restored for every row
	want  verdict
}

func forgeries() []forgery {
	sent := func(try sending) func(*system) {
		return func(s *system) { s.client.journal.add(try) }
	}
	sentOtherwise := func(id string, change func(*sending)) func(*system) {
		return func(s *system) { s.client.journal.change(func(try *sending) bool { return try.ID == id }, change) }
	}
	calledOtherwise := func(change func(*call)) func(*system) {
		return func(s *system) { s.shop.journal.change(func(c *call) bool { return c.ID == "order-000002" }, change) }
	}
	redisDoes := func(args ...any) func(*system) {
		return func(s *system) { s.rdb.Do(s.t.Context(), args...) }
	}
	return []forgery{
		{name: "nothing"},
		{name: "an answered order is gone", forge: sent(sending{ID: "gone", Cents: 5, Ends: "completed", Kind: "201"}), want: verdict{Lost: 1}},
		{name: "an unanswered order is gone", forge: sent(sending{ID: "gone", Cents: 5, Ends: "completed", Kind: broken})},
		{
			name: "an order was never sent", forge: sentOtherwise("order-000002", func(try *sending) { try.ID = "order-x" }),
			want: verdict{Lost: 1, Invented: 2, Drift: 1},
		},
		{name: "another end", forge: sentOtherwise("order-000000", func(try *sending) { try.Ends = "completed" }), want: verdict{Drift: 1}},
		{name: "a cent less", forge: sentOtherwise("order-000002", func(try *sending) { try.Cents-- }), want: verdict{Drift: 2}},
		{
			name: "a call for nothing",
			forge: func(s *system) {
				s.shop.journal.add(call{Key: "none", ID: "none", Cents: 5, Status: 422, Effect: "nothing"})
			},
			want: verdict{Invented: 1, Drift: 1},
		},
		{
			name: "a second effect",
			forge: func(s *system) {
				s.shop.journal.add(call{Key: "order-000002", ID: "order-000002", Cents: 300002, Status: 200, Effect: "effect"})
			},
			want: verdict{Duplicated: 1, Drift: 2},
		},
		{name: "another key", forge: calledOtherwise(func(c *call) { c.Key = "other" }), want: verdict{Duplicated: 1}},
		{name: "no effect", forge: calledOtherwise(func(c *call) { c.Effect = "nothing" }), want: verdict{Drift: 2}},
		{
			name: "an order counted twice", forge: redisDoes("HINCRBY", book+"c", "accepted", 1), undo: redisDoes("HINCRBY", book+"c", "accepted", -1),
			want: verdict{Duplicated: 1, Drift: 3},
		},
		{
			name: "an attempt too many", forge: redisDoes("HINCRBY", book+"c", "attempts", 1), undo: redisDoes("HINCRBY", book+"c", "attempts", -1),
			want: verdict{Drift: 2},
		},
		{
			name: "a key of nothing", forge: redisDoes("SET", "lock", 1), undo: redisDoes("DEL", "lock"),
			want: verdict{Leaked: 1},
		},
		{
			name: "a task of a completed order", forge: redisDoes("HSET", "asynq:{default}:t:order-000002", "msg", "x"),
			undo: redisDoes("DEL", "asynq:{default}:t:order-000002"), want: verdict{Leaked: 1},
		},
		{
			name: "a server without expiry", forge: redisDoes("SET", "asynq:servers:{x:1:y}", 1),
			undo: redisDoes("DEL", "asynq:servers:{x:1:y}"), want: verdict{Leaked: 1},
		},
		{
			name: "a customer without orders", forge: redisDoes("ZADD", book+"u:nobody", 1, "nobody"),
			undo: redisDoes("DEL", book+"u:nobody"), want: verdict{Leaked: 1, Drift: 1},
		},
	}
}

// change changes the rows that match, of which there must be one at least.
func (j *journal[T]) change(match func(*T) bool, change func(*T)) {
	j.t.Helper()
	changed := false
	for i := range j.rows {
		if match(&j.rows[i]) {
			change(&j.rows[i])
			changed = true
		}
	}
	if !changed {
		j.t.Fatalf("the journal has no such row: %+v", j.rows)
	}
}

// TestAuditor forges one thing after the other, and wants the auditor to find it.
func TestAuditor(t *testing.T) {
	s := open(t, "auditor")
	s.addAPIs(1)
	s.addWorkers(1)
	s.client.submitAll(6, 1, mixed)
	s.awaitRest()
	s.workers[0].stop() // nothing may repair what is forged
	for _, row := range forgeries() {
		sent, called := s.client.journal.all(), s.shop.journal.all()
		if row.forge != nil {
			row.forge(s)
		}
		a := newAudit(s)
		a.run()
		want := row.want
		want.Orders, want.Faults = 6, 1
		if diff := cmp.Diff(want, a.verdict); diff != "" {
			t.Errorf("%s (-want +got):\n%s%s", row.name, diff, strings.Join(a.findings, "\n"))
		}
		if row.undo != nil {
			row.undo(s)
		}
		s.client.journal.rows, s.shop.journal.rows = sent, called
	}
}

// TestServiceIsChecked checks which answers count as bad service.
func TestServiceIsChecked(t *testing.T) {
	t.Parallel()
	s := &system{t: t}
	s.client = newClient(t, s)
	for n, tries := range [][]string{
		{refused, "201"},
		{closedIdle, "201"},
		{"200"},
		{closedIdle, "200"},
		{broken, "200"},
		{"503", "201"},
	} {
		for i, kind := range tries {
			s.client.journal.add(sending{ID: strconv.Itoa(n), Number: i + 1, Kind: kind})
		}
	}
	a := &audit{s: s, sent: map[string]*sentOrder{}}
	a.readClient()
	var got []bool
	for n := range len(a.sent) {
		got = append(got, a.sent[strconv.Itoa(n)].badlyServed())
	}
	if diff := cmp.Diff([]bool{false, false, false, true, true, true}, got); diff != "" {
		t.Errorf("badly served (-want +got):\n%s", diff)
	}
}

// TestMoney reads amounts back as they were written, and as JSON may shorten them.
func TestMoney(t *testing.T) {
	t.Parallel()
	for text, want := range map[json.Number]int64{
		"5": 500, "5.1": 510, "5.10": 510, "0.07": 7, money(99): 99, money(1_000_05): 1_000_05,
	} {
		if got := cents(text); got != want {
			t.Errorf("%s is read as %d cents, want %d", text, got, want)
		}
	}
}
