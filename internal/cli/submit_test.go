package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"orderprocessor/internal/programtest"
)

const valid = `{"amount":12.50,"items":["lamp"],"customer":"Ada","address":"London"}`

func fileOf(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "orders")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func withID(id string) string { return strings.Replace(valid, "{", `{"id":"`+id+`",`, 1) }

func TestSubmit(t *testing.T) {
	t.Parallel()
	api := startService(t)
	bad := valid + "\n{\"amount\":\n" + strings.Replace(valid, "12.50", "0.001", 1) + "\n[]\n" +
		`{"x":"` + strings.Repeat("x", 300<<10) + `"}` + "\n" + strings.Replace(valid, "Ada", "Eve", 1) + "\n"
	conflict := withID("conflict") + "\n" + strings.Replace(withID("conflict"), "Ada", "Eve", 1)
	for _, tt := range []struct {
		name, text string
		status     int
		want       []string
	}{
		{"object", "{\n" + valid[1:], 0, []string{`accepted +1\n`, `replayed +0 .*\n`, `refused +0\n$`}},
		{"array", "[" + valid + ",\n" + valid + "]", 0, []string{`accepted +2\n`}},
		{"lines", strings.Repeat(valid+"\n", 100), 0, []string{`accepted +100\n`}},
		{"replays", strings.Repeat(withID("twice")+"\n", 3), 0, []string{`accepted +1\n`, `replayed +2 `}},
		{"same id, other content", conflict, 1, []string{`accepted +1\n`, `line \d: 409: An order with this id and other content exists`}},
		{"bad lines", bad, 1, []string{
			`accepted +2\n`, `refused +4\n\n`, `line 2: is not valid JSON: invalid character '\[' after object value`,
			`line 3: 400: amount must have at most two decimals\nline 4: is a JSON array; .*\nline 5: is longer than 256 KiB\n`,
			`orderctl: 4 of 6 orders were not accepted\n$`,
		}},
		{"gzip", "\x1f\x8b\x08", 1, []string{`accepted +0\n`, `\norderctl: read the orders: the input is compressed with gzip, .*: zcat `}},
		{"nothing", "\n", 1, []string{`orderctl: there is no order in the input\n$`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			orderctl(t, "submit", fileOf(t, tt.text), "--api", api).mustExit(t, tt.status, tt.want...)
		})
	}
	for _, args := range [][]string{{"submit"}, {"submit", "-"}} {
		in := world{stdin: strings.NewReader(valid), environ: []string{"ORDERCTL_API=" + api}}
		orderctlIn(t, in, args...).mustExit(t, 0, `accepted +1\n`)
	}
}

// newSubmitAPI returns a healthy API with these replies to submissions.
func newSubmitAPI(t *testing.T, replies ...reply) *fakeAPI {
	t.Helper()
	return newFakeAPI(t, routes{"POST /orders": replies, "GET /health": {{}}})
}

func TestSubmitOutcomes(t *testing.T) {
	t.Parallel()
	const replay, soon = "Idempotency-Replayed: true", "Retry-After: 0"
	full := reply{status: 503, body: noRoom, headers: "Retry-After: 1"}
	wrong := `{"detail":"x","errors":[` + strings.Repeat(`{"field":"f","message":"is bad"},`, 6) + `{"field":"g","message":"is worse"}]}`
	var withIDs strings.Builder
	for n := range 30 {
		withIDs.WriteString(withID(fmt.Sprint("o", n)) + "\n")
	}
	for _, tt := range []struct {
		name, file, args string
		replies          []reply // the last is repeated
		status, sent     int     // sent is 0 where it differs from run to run
		want             []string
	}{
		{"busy, then not", valid, "", []reply{{status: 503, headers: soon}, {status: 503, headers: soon}, {status: 201}}, 0, 3, []string{`accepted +1\n`}},
		{"a lost answer to an order without an id", valid, "", []reply{{status: answerLost}, {headers: replay}}, 0, 2, []string{`accepted +1\nreplayed +0`}},
		{"a write that the API repeated", valid, "", []reply{{headers: replay}}, 0, 1, []string{`accepted +1\nreplayed +0`}},
		{"a lost answer to an order with an id", withID("mine"), "", []reply{{status: 502}, {headers: replay}}, 0, 2, []string{`accepted +0\nreplayed +1`}},
		{
			"over the rate limit", valid, "--tries 1",
			[]reply{{status: 429, headers: "Retry-After: 1"}, {status: 429, headers: "Retry-After: 1"}, {status: 201}},
			0, 3,
			[]string{`accepted +1\n`},
		},
		{
			"gives up", strings.Repeat(valid+"\n", 50), "--tries 2 --concurrency 1",
			[]reply{{status: 503, body: noRoom}},
			1, 2,
			[]string{
				`no room +1 \(not accepted\)\n`, `not sent +49 \(from line 2 on\)\n`,
				`line 1: order \S+ was not accepted: 503: Nothing was accepted: too many orders are waiting\.\n`,
				`\nSend the same file again: what was accepted is not accepted twice\.\n`,
				`orderctl: 50 of 50 orders were not accepted; stopped at line 1: 503: Nothing`,
			},
		},
		{
			"the queues fill up", withIDs.String(), "--tries 2 --concurrency 4",
			append(slices.Repeat([]reply{{status: 201}}, 5), full),
			1, 0,
			[]string{
				`no room: trying again in 1 s \(Ctrl-C stops\)\n`, `orderctl: 25 of 30 orders were not accepted; stopped at line \d+: 503: Nothing`,
			},
		},
		{
			"many failures", strings.Repeat(valid+"\n", 25), "",
			[]reply{{status: 400, body: wrong}},
			1, 25,
			[]string{`\n\n(line \d+: 400: f is bad; f is bad; f is bad; f is bad; f is bad; and 2 more\n){20}… and 5 more\n`},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			api := newSubmitAPI(t, tt.replies...)
			c := orderctl(t, append([]string{"submit", fileOf(t, tt.file), "--api", api.URL}, strings.Fields(tt.args)...)...)
			c.mustExit(t, tt.status, tt.want...)
			sent := api.posts()
			if tt.sent > 0 && len(sent) != tt.sent {
				t.Errorf("sent %d times, want %d", len(sent), tt.sent)
			}
			orders := max(1, strings.Count(tt.file, "\n"))
			if orders == 1 && len(slices.Compact(sent)) != 1 {
				t.Errorf("an order was not the same each time: %v", sent)
			}
			counted := 0
			for _, count := range regexp.MustCompile(`(?m)^(?:accepted|replayed|refused|no room|unknown|not sent) +(\d+)`).FindAllStringSubmatch(c.stdout.String(), -1) {
				n, _ := strconv.Atoi(count[1])
				counted += n
			}
			if counted != orders {
				t.Errorf("%d of %d orders are counted:\n%s", counted, orders, c.stdout.String())
			}
		})
	}
	orderctl(t, "submit", "/nowhere/orders").mustExit(t, 1, `^orderctl: open /nowhere/orders: no such file or directory\n$`)
	orderctl(t, "submit", fileOf(t, valid), "--api", "http://127.0.0.1:1").mustExit(t, 1,
		`^orderctl: no answer from the API at http://127.0.0.1:1: .*refused; is it running, and is the address right\?\n$`)
}

func TestSubmitIsInterrupted(t *testing.T) {
	t.Parallel()
	api := newSubmitAPI(t, reply{status: 503, headers: "Retry-After: 3600"})
	c := &command{}
	c.start(t, "submit", fileOf(t, valid), "--api", api.URL)
	programtest.Until(t, "it waits after the first try", func() bool { return strings.Contains(c.stderr.String(), "trying again in") })
	c.interrupt(t)
	c.mustExit(t, 1, `line 1: order [0-9a-f-]{36} may or may not be accepted: 503: Service Unavailable`, `orderctl: .*interrupted\n$`)
	if n := len(api.posts()); n != 1 {
		t.Errorf("sent %d times", n)
	}
}
