package cli_test

import (
	"regexp"
	"strings"
	"testing"

	"orderprocessor/internal/programtest"
)

const simulating = `{"orders":4,"changed":0,"transitions":[],"examples":[],"errors":0}`

func newSimulateAPI(t *testing.T, replies ...reply) *fakeAPI {
	t.Helper()
	return newFakeAPI(t, routes{"POST /rules/0123456789ab/simulate": replies})
}

func TestRulesSimulate(t *testing.T) {
	t.Parallel()
	same := strings.Replace(simulating, `}`, `,"done":true}`, 1)
	busy := reply{status: 503, body: problem(503, "Rules are being simulated already.", "")}
	for _, row := range []struct {
		name    string
		replies []reply
		status  int
		want    string
	}{
		{"changes", []reply{busy, ndjson(simulating, simulated)}, 0, `^It decides 3 of 9 orders differently from the active version\.\n\n` +
			`from       to       orders   amount\nstandard   hold     2        1\.00 EUR, 20\.50 USD\nstandard   reject   1        3\.00 USD\n\n` +
			`Some of them:\n\nid   from       to       rule\no1   standard   hold     large\no2   standard   reject   \n\n` +
			`For 1 order a rule could not be evaluated; such orders are held\.\n$`},
		{"no changes", []reply{ndjson(same)}, 0, `^It decides 4 orders as the active version does\. Queues and tags are not compared\.\n$`},
		{"no orders", []reply{ndjson(strings.Replace(same, "4", "0", 1))}, 0, `^No order matches\.\n$`},
		{"begun again", []reply{ndjson(simulating), {status: answerLost}, ndjson(simulating, same)}, 0, `^It decides 4 orders as`},
		{
			"ended early",
			[]reply{ndjson(simulating, strings.Replace(simulating, `}`, `,"error":"Redis is\naway."}`, 1))},
			1,
			`^orderctl: simulate rules 0123456789ab: Redis is away\.\n$`,
		},
		{"busy", []reply{busy}, 1, `^orderctl: simulate rules 0123456789ab: 503: Rules are being simulated already\.\n$`},
		{"no such version", []reply{{status: 404, body: problem(404, "There is no such version.", "")}}, 1, `: 404: There is no such version\.\n$`},
		{"no API", []reply{ndjson(`{}`)}, 1, `the answer is not that of an order API`},
		{"no stream", []reply{{body: simulated}}, 1, `the answer is not that of an order API`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			orderctl(t, "rules", "simulate", "0123456789ab", "--api", newSimulateAPI(t, row.replies...).URL).mustExit(t, row.status, row.want)
		})
	}
}

// TestRulesSimulateSelects sends what the flags say, and writes the last line of the API
// for programs.
func TestRulesSimulateSelects(t *testing.T) {
	t.Parallel()
	api := newSimulateAPI(t, ndjson(simulating, simulated))
	orderctl(t, "rules", "simulate", "0123456789ab", "--from", "2026-11-23T12:00:00Z", "--to", "2026-11-24T12:00:00Z", "--status", "held",
		"--limit", "10", "-o", "json", "--api", api.URL).mustExit(t, 0, `^{\n  "orders": 9,\n(?s:.*)"USD": 20\.50,(?s:.*)"done": true\n}\n$`)
	api.mustReceive(t, `POST /rules/0123456789ab/simulate {"created_from":"2026-11-23T12:00:00Z","created_to":"2026-11-24T12:00:00Z","status":"held","limit":10}`)
}

// TestRulesSimulateIsInterrupted checks that the end of the command ends the request.
func TestRulesSimulateIsInterrupted(t *testing.T) {
	t.Parallel()
	endless := ndjson(simulating)
	endless.stays = true
	api := newSimulateAPI(t, endless)
	c := &command{}
	c.start(t, "rules", "simulate", "0123456789ab", "--api", api.URL)
	programtest.Until(t, "it simulates", func() bool { return len(api.requests()) > 0 })
	c.interrupt(t)
	c.mustExit(t, 1, `^orderctl: simulate rules 0123456789ab: interrupted\n$`)
}

// TestRulesSimulateInTerminal shows how many orders are decided, and leaves only the result.
func TestRulesSimulateInTerminal(t *testing.T) {
	t.Parallel()
	api := newSimulateAPI(t, ndjson(simulating, simulated))
	shown, _ := inTerminal(t, "rules simulate 0123456789ab --api "+api.URL)
	programtest.Until(t, "it has ended", func() bool { return strings.Contains(shown.String(), "\nended ") })
	if text := shown.String(); !regexp.MustCompile(`simulating .*\(4/-\)?[\s\S]*\rIt decides 3 of 9 orders [\s\S]*\nended 0`).MatchString(text) {
		t.Errorf("it shows %q", text)
	}
}
