package cli_test

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const ourProblem = `{"type":"tag:orderprocessor,2026:%s","status":%d}`

// answerWith writes a problem of a type.
func answerWith(w http.ResponseWriter, status int, problem string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, ourProblem, problem, status)
}

// TestLoadCountsRefusals holds that every kind of refusal is counted apart, and
// that nothing is sent again.
func TestLoadCountsRefusals(t *testing.T) {
	t.Parallel()
	api := newLoadAPI(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		switch n % 8 {
		case 0, 1:
			answerWith(w, 503, "no-room")
		case 2:
			answerWith(w, 503, "redis-unavailable")
		case 3:
			answerWith(w, 429, "rate-limited")
		case 4:
			w.WriteHeader(404)
			_, _ = io.WriteString(w, `{"type":"about:blank"}`)
		case 5:
			http.Error(w, "<html>", http.StatusBadGateway)
		case 6:
			panic(http.ErrAbortHandler)
		default:
			w.WriteHeader(201)
		}
	})
	got := loadJSON(t, api, 1, "--rate", "80", "--duration", "1s")
	per := map[string]int{}
	for n := range len(api.sent()) {
		per[[]string{"no-room", "no-room", "redis", "limit", "404", "502", "lost", "taken"}[(n+1)%8]]++
	}
	counted := map[string]int{"lost": got.NoAnswer, "taken": got.Accepted}
	names := map[string]string{
		"503 no-room": "no-room", "503 redis-unavailable": "redis", "429 rate-limited": "limit",
		"404 not found": "404", "502 bad gateway": "502",
	}
	for _, r := range got.Refused {
		counted[names[fmt.Sprintf("%d %s", r.Status, r.Reason)]] += r.Orders
	}
	if diff := cmp.Diff(per, counted); diff != "" || got.Sent != len(api.sent()) || got.Sent > 80 {
		t.Errorf("%d requests (-want +got):\n%s%+v", len(api.sent()), diff, got)
	}
	if got.Refused[0].Reason != "no-room" || got.NoAnswerReason != "EOF" {
		t.Errorf("the result is %+v", got)
	}
}

// TestLoadBoundsTheKinds holds that an API that always says something new does not
// fill the memory.
func TestLoadBoundsTheKinds(t *testing.T) {
	t.Parallel()
	api := newLoadAPI(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		answerWith(w, 400, fmt.Sprintf("%d%s", n, strings.Repeat("x", 100)))
	})
	got := loadJSON(t, api, 1, "--rate", "60", "--duration", "1s")
	if len(got.Refused) != 21 || got.Refused[0].Reason != "other reasons" || len(got.Refused[1].Reason) != 40 {
		t.Errorf("the result is %+v", got)
	}
}

// TestLoadInBatches holds that the rate counts orders, and that each order of a
// batch is counted by its own verdict.
func TestLoadInBatches(t *testing.T) {
	t.Parallel()
	const limited = `{"line":1,"status":429,"problem":{"type":"tag:orderprocessor,2026:rate-limited"}}` + "\n"
	taken := strings.Repeat(`{"line":1,"status":201,"id":"a"}`+"\n", 25)
	kinds := []struct {
		name                    string
		status                  int
		answer                  string
		accepted, refused, lost int
	}{
		{"all are taken", 200, taken, 25, 0, 0},
		{"some are not", 200, strings.Repeat(limited, 5) + taken[:len(taken)/5*4], 20, 5, 0},
		{"verdicts are missing", 200, taken[:len(taken)/5], 5, 0, 20},
		{"no verdicts at all", 200, "<html>", 0, 0, 25},
		{"other JSON", 200, strings.Repeat("{}\n", 25), 0, 0, 25},
		{"more verdicts than orders", 200, taken + taken, 25, 0, 0},
		{"the batch is refused", 503, "", 0, 25, 0},
	}
	api := newLoadAPI(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		kind := kinds[(n-1)%len(kinds)]
		w.WriteHeader(kind.status)
		_, _ = io.WriteString(w, kind.answer)
	})
	got := loadJSON(t, api, 1, "--rate", "300", "--batch", "25", "--duration", "1s")
	want, sent := map[string]int{}, api.sent()
	for n := range sent {
		kind := kinds[n%len(kinds)]
		want["accepted"] += kind.accepted
		want["lost"] += kind.lost
		want[strconv.Itoa(kind.status)] += kind.refused
	}
	counted := map[string]int{"accepted": got.Accepted, "lost": got.NoAnswer}
	for _, r := range got.Refused {
		counted[map[int]string{429: "200", 503: "503"}[r.Status]] += r.Orders
	}
	if diff := cmp.Diff(want, counted); diff != "" || got.Sent != 25*len(sent) || len(sent) > 12 || len(sent) < len(kinds) {
		t.Errorf("of %d batches (-want +got):\n%s%+v", len(sent), diff, got)
	}
	if got.NoAnswerReason != "the answer to a batch lacks verdicts" {
		t.Errorf("the reason is %q", got.NoAnswerReason)
	}
	checkBatches(t, sent)
}

func checkBatches(t *testing.T, sent []post) {
	t.Helper()
	ids := map[string]bool{}
	for _, p := range sent {
		if p.path != "/orders/batch" || p.kind != "application/x-ndjson" || len(p.orders) != 25 {
			t.Errorf("%d orders of %q came to %s", len(p.orders), p.kind, p.path)
		}
		for _, o := range p.orders {
			ids[o.ID] = true
		}
	}
	if len(ids) != 25*len(sent) {
		t.Errorf("%d batches have %d ids", len(sent), len(ids))
	}
}

// TestLoadInterrupted holds that the result so far is shown, and that an answer
// that does not come is not waited for.
func TestLoadInterrupted(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		sent int // requests before the interruption
		args []string
	}{
		{"many are due", 10, []string{"--rate", "100", "--duration", "1h"}},
		{"the next is due in an hour", 1, []string{"--rate", "1", "--batch", "3600", "--duration", "24h"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			api := newLoadAPI(t, func(n int, w http.ResponseWriter, r *http.Request) {
				if n == 1 {
					<-r.Context().Done()
					return
				}
				w.WriteHeader(http.StatusCreated)
			}, statsWith(10, 10, 0), statsWith(20, 20, 0))
			c := &command{}
			c.start(t, append([]string{"load", "--api", api.URL}, tt.args...)...)
			eventually(t, "orders are sent", func() bool { return len(api.sent()) >= tt.sent })
			c.interrupt(t)
			c.mustEnd(t, 1, `(?m)^ +sent +`, `no answer +(1|3600), the first for: interrupted\n`, `settled +10 orders`,
				`The load was interrupted\.\nThe workers kept up\.\norderctl: interrupted\n$`)
		})
	}
}

// TestLoadAndTheSystem holds that the statistics from before and after are told
// rightly.
func TestLoadAndTheSystem(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		stats []string
		exit  int
		says  []string
	}{
		{"kept up", []string{statsWith(100, 90, 10), statsWith(600, 589, 11)}, 0, []string{
			`settled +499 orders, [\d.]+ per second\n`, `backlog +12 orders before, 13 after: \+[\d.]+ per second\n`,
			`All orders decided in the last five minutes:\n\n`, `end to end +1\.5 +2\.5 +3\.5\n`, `\nThe workers kept up\.\n$`,
		}},
		{"caught up", []string{statsWith(5000, 0, 5000), statsWith(5100, 5100, 0)}, 0, []string{
			`backlog +5002 orders before, 2 after: -[\d.]+ per second\n`, `\nThe workers kept up\.\n$`,
		}},
		{"did not keep up", []string{statsWith(100, 100, 0), statsWith(600, 150, 450)}, 0, []string{
			`backlog +2 orders before, 452 after`, `\nThe workers did not keep up: with every second [\d.]+ more orders waited\.\n$`,
		}},
		{"not known", []string{statsWith(0, 0, 0), ""}, 1, []string{
			`accepted +\d+\n`, `\nWhether the workers kept up is not known: get stats: 503: Service Unavailable\n`,
			`orderctl: get stats: 503: Service Unavailable\n$`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			api := newLoadAPI(t, nil, tt.stats...)
			orderctl(t, "load", "--rate", "20", "--duration", "1s", "--api", api.URL).mustEnd(t, tt.exit, append(tt.says,
				`^   asked +20 orders per second for 1s, one by one, critical=1,default=8,low=1\n   sent +\d+ orders, [\d.]+ per second\n`,
				`refused +0\n   no answer +0\n`, `p50 +p90 +p95 +p99 +max\n +since the request was due( +[\d.]+){5}\n`)...)
		})
	}
}

// TestLoadWithoutAnAPI holds that nothing is sent where the statistics cannot be
// had to begin with.
func TestLoadWithoutAnAPI(t *testing.T) {
	t.Parallel()
	orderctl(t, "load", "--rate", "1", "--api", "http://127.0.0.1:1").mustEnd(t, 1, `^orderctl: get stats: no answer from the API .*refused`)
	api := newLoadAPI(t, nil, `{"something":"else"}`)
	orderctl(t, "load", "--rate", "1", "--api", api.URL).mustEnd(t, 1, `^orderctl: `)
	if n := len(api.sent()); n > 0 {
		t.Errorf("%d requests were sent", n)
	}
}
