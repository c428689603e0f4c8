package cli_test

import (
	"encoding/json"
	"strings"
	"testing"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

// newOrderAPI returns an API of an earlier version, with one order and no decisions.
func newOrderAPI(t *testing.T, order string) *fakeAPI {
	t.Helper()
	return newFakeAPI(t, routes{"GET /orders/{id}": {{body: order}}})
}

// TestGetShowsEveryField checks that each field of an order has a line of its name.
func TestGetShowsEveryField(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(ordertest.Order(t, ordertest.Full).View())
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for name := range fields {
		lines = append(lines, `(?m)^`+strings.ReplaceAll(name, "_", " ")+` +\S`)
	}
	api := newOrderAPI(t, string(text))
	orderctl(t, "get", "full", "--api", api.URL).mustExit(t, 0, lines...)
	orderctl(t, "get", "full", "--api", api.URL).mustExit(t, 0,
		`amount +999\.99\ncurrency +USD\nitems +2: tea, 6 x cups \(c-1\) at 2\.50\n`, `metadata +basket=77, gift=\n`)
}

func TestGetShowsWhatWentWrong(t *testing.T) {
	t.Parallel()
	const record = `{"id":"a","amount":1,"items":["x"],"customer":"c","address":"b","priority":1,
		"status":"retrying","queue":"critical","error":"shop is away","cancel_reason":"twice",
		"process_at":"2026-12-24T18:00:00+01:00","created_at":"2026-01-02T03:04:05Z",
		"next_attempt_at":"2026-01-02T03:04:07Z","attempts":[
		{"number":1,"worker_id":"w","started_at":"2026-01-02T03:04:05.5Z","ended_at":"2026-01-02T03:04:06Z","error":"shop is away","note":"sorry"},
		{"number":2,"worker_id":"w","started_at":"2026-01-02T03:04:07.5Z"}]}`
	orderctl(t, "get", "a", "--api", newOrderAPI(t, record).URL).mustExit(t, 0,
		`error +shop is away\ncancel reason +twice\n`, `\nprocess at +2026-12-24T17:00:00.000000Z\n`, `next attempt at +2026-01-02T03:04:07.000000Z\n`,
		`attempt 1 +2026-01-02T03:04:05.500000Z, by w, shop is away, fulfilment said: sorry\nattempt 2 +2026-01-02T03:04:07.500000Z, by w, running\n`)
}

// TestGetShowsTheDecision checks what is shown of the rules, and of who ended the hold.
func TestGetShowsTheDecision(t *testing.T) {
	t.Parallel()
	const decision = `{"version":"0123456789ab","decision":"hold","handling":"expedited","rule":"large","reason":"look first","tags":["vip","new"],
		"rules":[{"name":"early","matched":false},{"name":"large","matched":true}],
		"facts":{"order":{"currency":"JPY"},"customer":{"orders_24h":3,"amount_24h":4500}},
		"shadow":{"version":"ba9876543210","decision":"reject","rule":"no\u202e","reason":"never","tags":[],"rules":[]}}`
	const agreed = `{"version":"0123456789ab","decision":"approve","handling":"standard","tags":[],"rules":[],"facts":{"order":{}},
		"shadow":{"version":"ba9876543210","decision":"approve","handling":"standard","rule":"other","tags":[],"rules":[]}}`
	const timeline = `{"events":[{"id":"1-0","sequence":1,"status":"held","time":"2026-01-02T03:04:05Z","reason":"look first"},
		{"id":"2-0","sequence":2,"status":"pending","time":"2026-01-02T03:04:06Z","actor":"ops","reason":"known"},
		{"id":"3-0","sequence":3,"status":"rejected","time":"2026-01-02T03:04:07Z","actor":"expiry"}]}`
	held := func(more string) string {
		return record("a", "held", `,"tags":["vip","new"],"hold":{"rule":"large","reason":"look first"`+more+`}`)
	}
	expires := `,"expires_at":"2026-01-03T00:00:00Z","on_expiry":`
	for _, row := range []struct {
		name, order     string
		decision, times reply
		status          int
		want            string
	}{
		{"held", held(""), reply{body: decision}, reply{body: timeline}, 0, `held by +large: look first, until it is released or rejected\n(.*\n)+` +
			`tags +vip, new\ndecision +hold, expedited if released, by large of version 0123456789ab: look first\n` +
			`rule 1 +early: no\nrule 2 +large: yes\ncustomer's orders +3 within 24 hours, with this one, for 4500 JPY\n` +
			`shadow +reject, by no\\u202e of version ba9876543210: never\n` +
			`released +2026-01-02T03:04:06.000000Z, by ops: known\nrejected +2026-01-02T03:04:07.000000Z, by expiry\n`},
		{"until rejected", held(expires + `"reject"`), reply{status: 404}, reply{}, 0, `look first, until 2026-01-03T00:00:00.000000Z, then rejected\n`},
		{"until released", held(expires + `"release"`), reply{status: 404}, reply{}, 0, `look first, until 2026-01-03T00:00:00.000000Z, then released\n`},
		{
			"the shadow agrees", record("a", "completed", ""),
			reply{body: agreed},
			reply{status: 500},
			0,
			`decision +approve, standard, by no rule of version 0123456789ab\ncreated at`,
		},
		{"not decided", record("a", "pending", ""), reply{status: 404, body: problemOf("not-decided", 404, "Later.", "")}, reply{}, 0, `queue +default\ncreated at`},
		{"unavailable", record("a", "held", ""), reply{status: 503, body: away}, reply{}, 1, `status +held\n(.*\n)+orderctl: get the decision of order a: 503: `},
		{
			"half unavailable", record("a", "held", ""),
			reply{body: decision},
			reply{status: 503, body: away},
			1,
			`decision +hold(.*\n)+orderctl: get the timeline of order a: 503: `,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			api := newFakeAPI(t, routes{
				"GET /orders/a": {{body: row.order}}, "GET /orders/a/decision": {row.decision}, "GET /orders/a/events": {row.times},
			})
			orderctl(t, "get", "a", "--api", api.URL).mustExit(t, row.status, row.want)
		})
	}
}

func TestStrangeAnswers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, body, want string
		code             int
		args             []string
	}{
		{"no order", `{}`, `the answer is not that of an order API; is the address right\?`, 200, []string{"get", "a"}},
		{"no stats", `<html>`, `the answer is not that of an order API`, 200, []string{"stats"}},
		{"a proxy's error", `<html>`, `get stats: 502: Bad Gateway`, 502, []string{"stats"}},
		{"a redirect", ``, `get stats: 302: Found`, 302, []string{"stats"}},
		{"a problem", `{"status":503,"detail":"Redis is\naway.","title":"x"}`, `get stats: 503: Redis is away\.`, 503, []string{"stats"}},
		{"unhealthy", `{"status":"unhealthy","reason":"no worker is alive"}`, `503: no worker is alive`, 503, []string{"stats"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			orderctl(t, append(tt.args, "--api", answering(t, tt.code, tt.body))...).mustExit(t, 1, `^orderctl: .*`+tt.want+`.*\n$`)
		})
	}
}

func TestStatsShowWhatIsWrong(t *testing.T) {
	t.Parallel()
	repair := string(order.Repairs()[0])
	stats := `{"by_status":{"pending":3},"queues":{"low":{"pending":3,"paused":true,"oldest_pending_seconds":61.5}},
		"ledger":{"accepted":4,"drift":1,"repairs":{"` + repair + `":3,"` + string(order.Repairs()[1]) + `":0}}}`
	orderctl(t, "stats", "--api", answering(t, 200, stats)).mustExit(t, 0,
		`drift +1 \(THE BOOKS DO NOT BALANCE\)\n +repairs +3 `+strings.ReplaceAll(repair, "_", " ")+`\n`,
		`low +3 +0 +0 +0 +0 +PAUSED +61\.5 s`)
}
