package cli_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"orderprocessor/internal/programtest"
)

// newLoadAPI returns an API that answers orders with one status, and each request for
// the statistics with the next of them; 503 where they are empty.
func newLoadAPI(t *testing.T, status int, stats ...string) *fakeAPI {
	t.Helper()
	r := routes{"POST /": {{status: status}}}
	for _, text := range stats {
		next := reply{body: text}
		if text == "" {
			next.status = http.StatusServiceUnavailable
		}
		r["GET /stats"] = append(r["GET /stats"], next)
	}
	return newFakeAPI(t, r)
}

// statsWith are the statistics of a system with so many orders.
func statsWith(accepted, completed, pending int) string {
	const latency = `{"p50":1.5,"p95":2.5,"p99":3.5}`
	return fmt.Sprintf(`{"active_workers":64,"by_status":{"completed":%d,"pending":%d,"scheduled":7,"retrying":2},
		"latency_ms":{"queue_wait":%s,"processing":%s,"end_to_end":%s},"ledger":{"accepted":%d,"drift":0}}`,
		completed, pending, latency, latency, latency, accepted)
}

// TestLoadJSON checks the result as JSON, and that requests have the key, ids of their
// run, and the priorities of the mix.
func TestLoadJSON(t *testing.T) {
	t.Parallel()
	api := newLoadAPI(t, http.StatusCreated, statsWith(0, 0, 0), statsWith(100, 70, 30))
	c := orderctlIn(t, world{environ: []string{"ORDERCTL_API_KEY=ok_secret"}}, "load", "--api", api.URL+"/",
		"--rate", "40", "--duration", "1s", "--mix", "low=3,critical=1", "-o", "json")
	sent := api.posts()
	c.mustExit(t, 0, `^{\n  "run": "\S+",\n  "rate": 40,\n  "duration_seconds": 1,\n  "mix": {\n    "critical": 1,\n    "low": 3\n  },\n`,
		`"connections": 64,\n`, fmt.Sprintf(`"sent": %d,\n`, len(sent)), fmt.Sprintf(`"accepted": %d,\n  "refused": \[\],\n`, len(sent)),
		`"rate_kept": (true|false),\n`, `"latency_ms": {\n(    "(p50|p90|p95|p99|max)": [0-9.]*[1-9][0-9.]*,?\n){5}  }`,
		`"accepted": 100,\n    "settled": 70,\n`, `"backlog_before": 2,\n    "backlog_after": 32,\n`, `"kept_up": true,\n`,
		`"latency_ms_of_last_five_minutes": {(?s:.*)"end_to_end": {\n *"p50": 1.5,\n *"p95": 2.5,`)
	run := regexp.MustCompile(`"run": "(\S+)"`).FindStringSubmatch(c.stdout.String())[1]
	high := 0
	for _, request := range sent {
		if request.target != "/orders" || request.key != "Bearer ok_secret" || !strings.HasPrefix(request.body, `{"id":"load-`+run+`-`) {
			t.Errorf("the request is %+v", request)
		}
		high += strings.Count(request.body, `"priority":1`)
	}
	if high < len(sent)/4 || high > len(sent)/4+1 {
		t.Errorf("%d of %d orders have high priority", high, len(sent))
	}
}

func TestLoadIsInterrupted(t *testing.T) {
	t.Parallel()
	api := newLoadAPI(t, http.StatusCreated, statsWith(10, 10, 0), statsWith(20, 20, 0))
	c := &command{}
	c.start(t, "load", "--api", api.URL, "--rate", "100", "--duration", "1h")
	programtest.Until(t, "orders are sent", func() bool { return len(api.posts()) > 5 })
	c.interrupt(t)
	c.mustExit(t, 1, `(?m)^ +sent +`, `settled +10 orders`, `The load was interrupted\.\nThe workers kept up\.\norderctl: interrupted\n$`)
}

// TestLoadAndTheSystem checks what is shown of the orders, and of the statistics from
// before and after.
func TestLoadAndTheSystem(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		status int
		stats  []string
		args   []string
		exit   int
		want   []string
	}{
		{"kept up", 201, []string{statsWith(100, 90, 10), statsWith(600, 589, 11)}, nil, 0, []string{
			`one by one, critical=1,default=8,low=1\n`, `refused +0\n   no answer +0\n`,
			`settled +499 orders, [\d.]+ per second\n`, `backlog +12 orders before, 13 after: \+[\d.]+ per second\n`,
			`All orders decided in the last five minutes:\n\n`, `end to end +1\.5 +2\.5 +3\.5 *\n`, `\nThe workers kept up\.\n$`,
		}},
		{"caught up", 201, []string{statsWith(5000, 0, 5000), statsWith(5100, 5100, 0)}, nil, 0, []string{
			`backlog +5002 orders before, 2 after: -[\d.]+ per second\n`, `\nThe workers kept up\.\n$`,
		}},
		{"did not keep up", 201, []string{statsWith(100, 100, 0), statsWith(600, 150, 450)}, nil, 0, []string{
			`backlog +2 orders before, 452 after`, `\nThe workers did not keep up: with every second [\d.]+ more orders waited\.\n$`,
		}},
		{"not known", 201, []string{statsWith(0, 0, 0), ""}, nil, 1, []string{
			`accepted +\d+\n`, `\nWhether the workers kept up is not known: get stats: 503: Service Unavailable\n`,
			`orderctl: get stats: 503: Service Unavailable\n$`,
		}},
		{"refused batches", 429, []string{statsWith(0, 0, 0)}, []string{"--batch", "5"}, 1, []string{
			`in batches of 5, `, `accepted +0\n   refused +\d+ with 429 too many requests\n`, `orderctl: (\d+) of \d+ orders were not accepted\n$`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			api := newLoadAPI(t, tt.status, tt.stats...)
			args := append([]string{"load", "--rate", "20", "--duration", "1s", "--api", api.URL}, tt.args...)
			orderctl(t, args...).mustExit(t, tt.exit, append(tt.want, `^   asked +20 orders per second for 1s, `,
				`   sent +\d+ orders, [\d.]+ per second\n`, `p50 +p90 +p95 +p99 +max *\n +since the request was due( +[\d.]+){5} *\n`)...)
		})
	}
}

// TestLoadWithoutAnAPI checks that nothing is sent without statistics to begin with.
func TestLoadWithoutAnAPI(t *testing.T) {
	t.Parallel()
	orderctl(t, "load", "--rate", "1", "--api", "http://127.0.0.1:1").mustExit(t, 1, `^orderctl: get stats: no answer from the API .*refused`)
	api := newLoadAPI(t, http.StatusCreated, `{"something":"else"}`)
	orderctl(t, "load", "--rate", "1", "--api", api.URL).mustExit(t, 1, `^orderctl: `)
	if n := len(api.posts()); n > 0 {
		t.Errorf("%d requests were sent", n)
	}
}
