package cli_test

import (
	"encoding/json"
	"strings"
	"testing"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

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
	orderctl(t, "get", "full", "--api", answering(t, 200, string(text))).mustExit(t, 0, lines...)
	orderctl(t, "get", "full", "--api", answering(t, 200, string(text))).mustExit(t, 0,
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
	orderctl(t, "get", "a", "--api", answering(t, 200, record)).mustExit(t, 0,
		`error +shop is away\ncancel reason +twice\n`, `\nprocess at +2026-12-24T17:00:00.000000Z\n`, `next attempt at +2026-01-02T03:04:07.000000Z\n`,
		`attempt 1 +2026-01-02T03:04:05.500000Z, by w, shop is away, fulfilment said: sorry\nattempt 2 +2026-01-02T03:04:07.500000Z, by w, running\n`)
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
