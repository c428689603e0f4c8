package chaos_test

import (
	"encoding/json"
	"os"
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
	client := func(line string) func(*system) {
		return func(s *system) { s.client.journal.write(strings.Split(line, " ")...) }
	}
	called := func(line string) func(*system) {
		return func(s *system) { s.shop.journal.write(strings.Split(line, " ")...) }
	}
	redisDoes := func(args ...any) func(*system) {
		return func(s *system) { s.rdb.Do(s.t.Context(), args...) }
	}
	amended := func(j func(*system) *journal, old, forged string) func(*system) {
		return func(s *system) { amend(s.t, j(s), old, forged) }
	}
	ofClient := func(s *system) *journal { return s.client.journal }
	ofShop := func(s *system) *journal { return s.shop.journal }
	return []forgery{
		{name: "nothing"},
		{name: "an answered order is gone", forge: client("1 gone 5 completed 1 201 9 -"), want: verdict{Lost: 1}},
		{name: "an unanswered order is gone", forge: client("1 gone 5 completed 1 broken 9 -")},
		{name: "an order was never sent", forge: amended(ofClient, "\torder-000002\t", "\torder-x\t"), want: verdict{Lost: 1, Invented: 2, Drift: 1}},
		{name: "another end", forge: amended(ofClient, "rejected", "completed"), want: verdict{Drift: 1}},
		{name: "a cent less", forge: amended(ofClient, "\torder-000002\t300002\t", "\torder-000002\t300001\t"), want: verdict{Drift: 2}},
		{name: "a call for nothing", forge: called("1 none none 1 5 422 nothing"), want: verdict{Invented: 1, Drift: 1}},
		{name: "a second effect", forge: called("1 order-000002 order-000002 1 300002 200 effect"), want: verdict{Duplicated: 1, Drift: 2}},
		{name: "another key", forge: amended(ofShop, "\torder-000002\torder", "\tother\torder"), want: verdict{Duplicated: 1}},
		{name: "no effect", forge: amended(ofShop, "effect", "nothing"), want: verdict{Drift: 2}},
		{
			name: "an order counted twice", forge: redisDoes("HINCRBY", book+"c", "accepted", 1), undo: redisDoes("HINCRBY", book+"c", "accepted", -1),
			want: verdict{Duplicated: 1, Drift: 3},
		},
		{
			name: "an attempt too many", forge: redisDoes("HINCRBY", book+"c", "attempts", 1), undo: redisDoes("HINCRBY", book+"c", "attempts", -1),
			want: verdict{Drift: 2},
		},
		{
			name: "a stray key", forge: redisDoes("SET", "lock", 1), undo: redisDoes("DEL", "lock"),
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

// TestAuditor forges one thing after the other, and wants the auditor to find it.
func TestAuditor(t *testing.T) {
	s := open(t, "auditor")
	s.addAPIs(1)
	s.addWorkers(1)
	s.client.submitAll(6, 1, mixed)
	s.awaitRest()
	s.workers[0].stop() // nothing may mend what is forged
	for _, row := range forgeries() {
		before := [][]byte{content(t, s.client.journal), content(t, s.shop.journal)}
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
		rewrite(t, s.client.journal, before[0])
		rewrite(t, s.shop.journal, before[1])
	}
}

// TestServiceIsChecked checks which answers count as bad service.
func TestServiceIsChecked(t *testing.T) {
	t.Parallel()
	s := &system{t: t}
	s.client = newClient(t, s, t.TempDir()+"/client")
	for n, tries := range [][]string{
		{refused, "201"},
		{closedIdle, "201"},
		{"200"},
		{closedIdle, "200"},
		{broken, "200"},
		{"503", "201"},
	} {
		for i, kind := range tries {
			s.client.journal.write("1", strconv.Itoa(n), "5", "", strconv.Itoa(i+1), kind, "9", "")
		}
	}
	a := &audit{s: s, sent: map[string]*sentOrder{}}
	a.readClient()
	var got []bool
	for n := range len(a.sent) {
		got = append(got, a.sent[strconv.Itoa(n)].badlyServed())
	}
	if diff := cmp.Diff([]bool{false, false, false, true, true, true}, got); diff != "" {
		t.Errorf("ill served (-want +got):\n%s", diff)
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

func content(t *testing.T, j *journal) []byte {
	t.Helper()
	text, err := os.ReadFile(j.path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func rewrite(t *testing.T, j *journal, text []byte) {
	t.Helper()
	if err := os.WriteFile(j.path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// amend replaces a text in a journal, which must be there.
func amend(t *testing.T, j *journal, old, forged string) {
	t.Helper()
	text := string(content(t, j))
	if !strings.Contains(text, old) {
		t.Fatalf("the journal has no %q:\n%s", old, text)
	}
	rewrite(t, j, []byte(strings.Replace(text, old, forged, 1)))
}
