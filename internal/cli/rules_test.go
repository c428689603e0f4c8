package cli_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"orderprocessor/internal/programtest"
)

const (
	ruleSet  = `{"version":"builtin","rules":[{"name":"x"}],"source":"rules: []\n"}`
	ruleSets = `{"active":"builtin","shadow":"0123456789ab","shadow_decisions":{"orders":40,"changed":3,"transitions":[{"from":"standard","to":"hold","orders":3}]},` +
		`"versions":[{"version":"0123456789ab","created_at":"2026-11-23T12:00:00Z","created_by":"ops","rules":[{},{}]},{"version":"builtin","rules":[{}]}]}`
	simulated = `{"orders":9,"changed":3,"transitions":[{"from":"standard","to":"hold","orders":2,"amounts":{"USD":20.50,"EUR":1.00}},` +
		`{"from":"standard","to":"reject","orders":1,"amounts":{"USD":3.00}}],` +
		`"examples":[{"id":"o1","from":"standard","to":"hold","rule":"large"},{"id":"o2","from":"standard","to":"reject"}],"errors":1,"done":true}`
)

// ndjson is a simulation that ends, as the API sends it.
func ndjson(lines ...string) reply {
	return reply{headers: "Content-Type: application/x-ndjson", body: strings.Join(lines, "\n") + "\n"}
}

func TestRulesPush(t *testing.T) {
	t.Parallel()
	const source = "rules: []\n"
	name := fileOf(t, source)
	const request = "POST /rules " + "rules: []"
	refusal := problem(400, "Wrong.", `,"errors":[{"field":"rules[2].when","code":"invalid","message":"line 12, column 9: must be: a condition"},`+
		`{"field":"rules","code":"invalid","message":"must \u202e be"}]`)
	runScripted(
		t,
		scripted{
			"stored", "rules push " + name,
			[]exchange{{request, 503, away}, {request, 201, `{"version":"0123456789ab"}`}},
			0, name + ": version 0123456789ab\n", "",
		},
		scripted{
			"as JSON", "rules push -o json " + name,
			[]exchange{{request, 200, `{"version":"0123456789ab"}`}},
			0, "{\n  \"version\": \"0123456789ab\"\n}\n", "",
		},
		scripted{
			"problems", "rules push " + name,
			[]exchange{{request, 400, refusal}},
			1,
			name + ":12:9: rules[2].when: must be: a condition\n" + name + `:0:0: rules: must \u202e be` + "\n",
			"orderctl: " + name + " is no rule set; problems: 2\n",
		},
		scripted{
			"refused", "rules push " + name,
			[]exchange{{request, 409, problemOf("too-many-rules", 409, "There are 1,000 versions.", "")}},
			1, "", "orderctl: push the rules: 409: There are 1,000 versions.\n",
		},
	)
	api := newScript(t, exchange{request, 400, refusal})
	orderctl(t, "rules", "push", name, "-o", "json", "--api", api.URL).mustExit(t, 1,
		`"field": "rules\[2\].when",\n +"code": "invalid",\n +"line": 12,\n +"column": 9,\n +"message": "must be: a condition"`)
	orderctl(t, "rules", "push", "/nowhere/rules", "--api", "http://127.0.0.1:1").mustExit(t, 1, `^orderctl: read the rules: open /nowhere`)
}

func TestRulesInForce(t *testing.T) {
	t.Parallel()
	const both = `{"active":"builtin","shadow":"0123456789ab"}`
	none := problem(404, "There is no such version of the rules.", "")
	runScripted(
		t,
		scripted{
			"list", "rules list",
			[]exchange{{"GET /rules", 200, ruleSets}},
			0,
			"version        created at                    by    rules   in force\n" +
				"0123456789ab   2026-11-23T12:00:00.000000Z   ops   2       shadow\n" +
				"builtin                                            1       active\n\n" +
				"The shadow decided 3 of 40 orders differently.\n\n" +
				"from       to     orders\nstandard   hold   3\n", "",
		},
		scripted{"show", "rules show builtin", []exchange{{"GET /rules/builtin", 200, ruleSet}}, 0, "rules: []\n", ""},
		scripted{
			"show nothing", "rules show 0123456789ab",
			[]exchange{{"GET /rules/0123456789ab", 404, none}},
			1, "",
			"orderctl: get rules 0123456789ab: 404: There is no such version of the rules.\n",
		},
		scripted{
			"shadow", "rules shadow 0123456789ab",
			[]exchange{{"POST /rules/0123456789ab/shadow", 200, both}},
			0,
			"active   builtin\nshadow   0123456789ab\n", "",
		},
		scripted{
			"end the shadow", "rules shadow --end",
			[]exchange{{"DELETE /rules/shadow", 503, away}, {"DELETE /rules/shadow", 200, `{"active":"builtin"}`}},
			0, "active   builtin\n", "",
		},
		scripted{
			"activate, not on a terminal", "rules activate builtin -o json",
			[]exchange{{"POST /rules/builtin/activate", 200, `{"active":"builtin"}`}},
			0,
			"{\n  \"active\": \"builtin\"\n}\n", "",
		},
		scripted{
			"activate nothing", "rules activate 0123456789ab",
			[]exchange{{"POST /rules/0123456789ab/activate", 404, none}},
			1, "",
			"orderctl: activate rules 0123456789ab: 404: There is no such version of the rules.\n",
		},
	)
}

// TestRulesActivateAsks shows on a terminal which version is active, and changes nothing
// unless somebody agrees.
func TestRulesActivateAsks(t *testing.T) {
	t.Parallel()
	const list, activate = "GET /rules", "POST /rules/ba9876543210/activate"
	for answer, want := range map[string]struct {
		flags string
		sent  []string
		shown string
	}{
		"y\n":   {"", []string{list, activate}, `active   ba9876543210\r\nended 0`},
		"Yes\n": {"", []string{list, activate}, `active   ba9876543210\r\nended 0`},
		"\n":    {"", []string{list}, `orderctl: nothing was changed\r\nended 1`},
		"":      {" --yes", []string{activate}, `active   ba9876543210\r\nended 0`},
	} {
		t.Run(fmt.Sprintf("%q", answer), func(t *testing.T) {
			t.Parallel()
			api := newFakeAPI(t, routes{list: {{body: ruleSets}}, activate: {{body: `{"active":"ba9876543210"}`}}})
			shown, keyboard := inTerminal(t, "rules activate ba9876543210 --api "+api.URL+want.flags)
			if answer != "" {
				programtest.Until(t, "it asks", func() bool {
					return strings.Contains(shown.String(), "builtin is active. Activate ba9876543210 instead? [y/N] ")
				})
				_, _ = keyboard.Write([]byte(answer))
			}
			programtest.Until(t, "it has ended", func() bool { return strings.Contains(shown.String(), "\nended ") })
			if !regexp.MustCompile(want.shown).MatchString(shown.String()) {
				t.Errorf("it shows %q", shown.String())
			}
			api.mustReceive(t, want.sent...)
		})
	}
}
