package rules_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

// inForceWithin is how long after its activation a version must decide all orders.
const inForceWithin = 2 * time.Second

// TestInForce uses an engine all the time, and checks that it decides by a version soon
// after its activation, however slow the store is, and asks one question at a time.
func TestInForce(t *testing.T) {
	t.Parallel()
	for _, delay := range []time.Duration{0, 100 * time.Millisecond, 700 * time.Millisecond, 1400 * time.Millisecond, 1900 * time.Millisecond} {
		t.Run(delay.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const used, callers = 20 * time.Second, 50
				e, s, _ := newEngine("expedites", "")
				s.delay = delay
				begun := time.Now()
				activated := begun.Add(used / 2)
				time.AfterFunc(used/2, func() { s.set(func(s *store) { s.in.Active = "prefers" }) })
				var using sync.WaitGroup
				for n := range callers {
					rec := recordOf(t)
					using.Go(func() {
						time.Sleep(time.Duration(n) * time.Millisecond)
						for time.Since(begun) < used {
							d, err := e.Decide(t.Context(), rec)
							before, after := time.Now().Before(activated), time.Since(activated) > inForceWithin
							if err != nil || before && d.Handling != order.HandlingExpedited || after && d.Handling != order.HandlingPriority {
								t.Errorf("%v after the activation: %s, %v", time.Since(activated), d.Handling, err)
							}
							time.Sleep(50 * time.Millisecond)
						}
					})
				}
				using.Wait()
				// One each second, and at most one more for each that took longer than its answer is used.
				if most := int(2 * used / time.Second); s.most != 1 || s.questions > most {
					t.Errorf("%d questions, %d at once; want at most %d", s.questions, s.most, most)
				}
			})
		})
	}
}

// TestStoreAway checks for how long the last answer is used while the store does not know
// or does not answer: 1.5 s to decide, and any time to choose a queue.
func TestStoreAway(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]func(*store){
		"fails":  func(s *store) { s.err = order.ErrUnavailable },
		"silent": func(s *store) { s.silent = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e, s, _ := newEngine("expedites", "")
				rec := recordOf(t)
				decides := func(when string, want bool) {
					t.Helper()
					d, err := e.Decide(t.Context(), rec)
					if want && (err != nil || d.Handling != order.HandlingExpedited) || !want && !errors.Is(err, order.ErrUnavailable) {
						t.Errorf("%s: decided %q, %v", when, d.Handling, err)
					}
				}
				decides("at first", true)
				s.set(away)
				time.Sleep(1100 * time.Millisecond)
				if name == "fails" { // a silent store would answer too late
					decides("when the answer is a second old", true)
				}
				time.Sleep(500 * time.Millisecond)
				decides("when the answer is too old", false)
				time.Sleep(time.Hour)
				begun := time.Now()
				if q := e.Queue(t.Context(), rec.Order); q != order.QueueCritical || time.Since(begun) > time.Second {
					t.Errorf("after an hour the queue is %s, after %v", q, time.Since(begun))
				}
				decides("after an hour", false)
				s.set(func(s *store) { s.err, s.silent = nil, false })
				decides("when the store is back", true)
			})
		})
	}
}

// TestNeverAnswered checks an engine whose store has not answered yet: it decides nothing,
// and the priority of an order chooses its queue.
func TestNeverAnswered(t *testing.T) {
	t.Parallel()
	e, s, _ := newEngine("expedites", "")
	s.err = order.ErrUnavailable
	rec := recordOf(t)
	if d, err := e.Decide(t.Context(), rec); !errors.Is(err, order.ErrUnavailable) {
		t.Errorf("decided %+v, %v", d, err)
	}
	if q := e.Queue(t.Context(), rec.Order); q != order.QueueDefault {
		t.Errorf("the queue is %s", q)
	}
}

// TestVersions checks how an engine decides by what is in force, and what it logs.
func TestVersions(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		active, shadow string
		handling       order.Handling
		queue          order.Queue
		beside         order.Handling // empty without a decision of a shadow
		logged         string
	}{
		{order.VersionBuiltin, "", order.HandlingStandard, order.QueueDefault, "", ""},
		{order.VersionBuiltin, "prefers", order.HandlingStandard, order.QueueDefault, order.HandlingPriority, ""},
		{"expedites", order.VersionBuiltin, order.HandlingExpedited, order.QueueCritical, order.HandlingStandard, ""},
		{"expedites", "expedites", order.HandlingExpedited, order.QueueCritical, "", ""},
		{"expedites", "future", order.HandlingExpedited, order.QueueCritical, "", "version=future"},
		{"expedites", "gone", order.HandlingExpedited, order.QueueCritical, "", "version=gone"},
		{"future", "", "", order.QueueDefault, "", "version=future"},
		{"gone", "prefers", "", order.QueueDefault, "", "version=gone"},
	} {
		e, _, log := newEngine(row.active, row.shadow)
		rec := recordOf(t)
		d, err := e.Decide(t.Context(), rec)
		if (err != nil) != (row.handling == "") || errors.Is(err, order.ErrUnavailable) || d.Handling != row.handling {
			t.Errorf("%s: decided %+v, %v", row.active, d, err)
		}
		if got := log.String(); strings.Count(got, "level=ERROR") != min(len(row.logged), 1) || !strings.Contains(got, row.logged) {
			t.Errorf("%s, %s: logged %q", row.active, row.shadow, got)
		}
		if d.Shadow == nil && row.beside != "" || d.Shadow != nil && d.Shadow.Handling != row.beside {
			t.Errorf("%s: beside %s decided %+v", row.active, row.shadow, d.Shadow)
		}
		if q := e.Queue(t.Context(), rec.Order); q != row.queue {
			t.Errorf("%s: the queue is %s", row.active, q)
		}
	}
}

// TestFrozenFacts checks that what the rules asked about a customer is kept with the
// decision, and that the store is asked no more than needed.
func TestFrozenFacts(t *testing.T) {
	t.Parallel()
	early, late := order.CustomerFacts{Orders24h: 11, Amount24h: 5}, order.CustomerFacts{Orders24h: 99}
	for name, versions := range map[string][2]string{"active": {"asks", "prefers"}, "shadow": {"expedites", "asks"}} {
		e, s, _ := newEngine(versions[0], versions[1])
		s.customer = early
		rec := recordOf(t)
		d, err := e.Decide(t.Context(), rec)
		if err != nil || s.customers != 1 {
			t.Errorf("%s: the customer was asked for %d times; %v", name, s.customers, err)
		}
		s.customer = late
		for _, row := range []struct {
			decision  *order.Decision
			asks      bool
			want      order.CustomerFacts
			questions int
		}{
			{&d, true, early, 1},
			{&d, false, early, 1},
			{nil, false, order.CustomerFacts{}, 1},
			{nil, true, late, 2},
			{&order.Decision{Version: "prefers"}, true, late, 3},
		} {
			rec.Decision = row.decision
			facts, err := e.Facts(t.Context(), rec, row.asks)
			if diff := cmp.Diff(row.want, facts.Customer); err != nil || diff != "" || s.customers != row.questions {
				t.Errorf("%s: %d questions, %v, facts (-want +got):\n%s", name, s.customers, err, diff)
			}
		}
	}
	e, s, _ := newEngine("expedites", "prefers")
	if d, err := e.Decide(t.Context(), recordOf(t)); err != nil || s.customers != 0 || d.Customer != nil {
		t.Errorf("without a question: %+v, %v", d, err)
	}
}
