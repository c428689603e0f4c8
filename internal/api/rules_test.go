package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

const (
	yamlMedia = "application/yaml"
	// holdsLarge is a set in YAML, and holdsLargeJSON the same in JSON.
	holdsLarge     = "rules:\n  - name: large   # ask\n    when: order.amount > money(\"500\")\n    hold: call the customer\n"
	holdsLargeJSON = `{"rules":[{"when":"order.amount > money(\"500\")","name":"large","hold":"call the customer"}]}`
)

// push stores a set, which must be answered so, and returns its version.
func (b *bundle) push(t *testing.T, text string, code int) string {
	t.Helper()
	a := b.ask(t, "POST", "/rules", text, "Content-Type", yamlMedia)
	version, _ := a.object(t, code)["version"].(string)
	if got := a.header.Get("Location"); version == "" || got != "/rules/"+version {
		t.Errorf("version %q, Location %q", version, got)
	}
	return version
}

// TestPushRules stores a set once, however it is written, and shows it.
func TestPushRules(t *testing.T) {
	b := open(t)
	version := b.push(t, holdsLarge, 201)
	for _, media := range []string{"application/json", "application/x-yaml", "text/yaml; charset=utf-8"} { // some have two other names for YAML
		a := b.askRaw(t, fmt.Sprintf("POST /rules HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
			media, len(holdsLargeJSON), holdsLargeJSON))
		if got := a.object(t, 200)["version"]; got != version {
			t.Errorf("as %s it is version %v, not %s", media, got, version)
		}
	}
	got := b.ask(t, "GET", "/rules/"+version, "").object(t, 200)
	rule := map[string]any{"name": "large", "when": `order.amount > money("500")`, "hold": "call the customer"}
	if diff := cmp.Diff([]any{rule}, got["rules"]); diff != "" || got["source"] != holdsLarge || got["created_by"] != "anonymous" || got["created_at"] == nil {
		t.Errorf("%v\n%s", got, diff)
	}
	builtin := b.ask(t, "GET", "/rules/builtin", "").object(t, 200)
	if source, _ := builtin["source"].(string); !strings.Contains(source, `money("10000.00")`) || builtin["created_at"] != nil {
		t.Errorf("builtin is %v", builtin)
	}
}

// TestRulesInForce puts versions in force and takes them back.
func TestRulesInForce(t *testing.T) {
	b := open(t)
	version := b.push(t, holdsLarge, 201)
	for _, row := range []struct{ method, path, active, shadow string }{
		{"POST", version + "/shadow", "builtin", version},
		{"POST", version + "/activate", version, ""},
		{"DELETE", "shadow", version, ""},
		{"POST", "builtin/shadow", version, "builtin"},
		{"POST", version + "/activate", version, "builtin"},
		{"POST", "builtin/activate", "builtin", ""},
	} {
		want := map[string]any{"active": row.active}
		if row.shadow != "" {
			want["shadow"] = row.shadow
		}
		if diff := cmp.Diff(want, b.ask(t, row.method, "/rules/"+row.path, "").object(t, 200)); diff != "" {
			t.Errorf("%s %s: %s", row.method, row.path, diff)
		}
		list := b.ask(t, "GET", "/rules", "").object(t, 200)
		versions, _ := list["versions"].([]any)
		if list["active"] != want["active"] || list["shadow"] != want["shadow"] || len(versions) != 2 {
			t.Errorf("after %s %s the list is %v", row.method, row.path, list)
		}
	}
}

// TestShadowInList shows how often a shadow decided otherwise.
func TestShadowInList(t *testing.T) {
	b := open(t)
	version := b.push(t, holdsLarge, 201)
	b.ask(t, "POST", "/rules/"+version+"/shadow", "").object(t, 200)
	for id, action := range map[string]order.Action{"a": order.ActionHold, "b": order.ActionHold, "c": order.ActionApprove} {
		b.reach(t, id, order.StatusPending)
		c := claim(id, id, order.HandlingStandard)
		c.Decision = &order.Decision{
			Version: "builtin", Action: order.ActionApprove, Handling: order.HandlingStandard,
			Shadow: &order.Decision{Version: version, Action: action, Handling: order.HandlingStandard},
		}
		_, err := b.ledger.Begin(t.Context(), c)
		must(t, err)
	}
	got := b.ask(t, "GET", "/rules", "").object(t, 200)["shadow_decisions"]
	want := map[string]any{"orders": 3.0, "changed": 2.0, "transitions": []any{map[string]any{"from": "standard", "to": "hold", "orders": 2.0}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestRulesRefused answers what cannot be, and stores nothing.
func TestRulesRefused(t *testing.T) {
	b := open(t)
	for _, path := range []string{"/activate", "/shadow", "/simulate"} {
		for _, version := range []string{"c0ffee", "active", "shadow", "%20", strings.Repeat("x", 300)} {
			b.ask(t, "POST", "/rules/"+version+path, "").problem(t, 404)
		}
	}
	for _, version := range []string{"c0ffee", "active", "%00"} {
		b.ask(t, "GET", "/rules/"+version, "").problem(t, 404)
	}
	for _, media := range []string{"text/plain", "application/xml", "", "application/json; charset=latin1"} {
		b.ask(t, "POST", "/rules", holdsLargeJSON, "Content-Type", media).problem(t, 415)
	}
	b.ask(t, "POST", "/rules", holdsLarge, "Content-Type", yamlMedia, "Content-Encoding", "gzip").problem(t, 415)
	b.ask(t, "POST", "/rules", strings.Repeat("a", 1<<20), "Content-Type", yamlMedia).problem(t, 413)
	p := b.ask(t, "POST", "/rules", "rules:\n- name: a\n  when: order.contry == \"DE\"\n- name: b\n  when: 'true'\n  tag: ''\n", "Content-Type", yamlMedia).problem(t, 400)
	if diff := cmp.Diff([]string{"rules[0] required", "rules[0].when invalid", "rules[1].tag required"}, p.fields()); diff != "" {
		t.Error(diff)
	}
	if p.Type != "tag:orderprocessor,2026:invalid-rules" || len(p.Errors) < 2 || !strings.HasPrefix(p.Errors[1].Message, "line 3, column 15: ") {
		t.Errorf("%+v", p)
	}
	b.checkEmpty(t)
}

// TestRulesOfLaterPrograms shows a stored version that this program cannot compile, and
// does not put it in force.
func TestRulesOfLaterPrograms(t *testing.T) {
	b := open(t)
	later := order.RuleSet{Version: "1a7e1a7e1a7e", CreatedBy: "ops", Source: []byte(`{"rules":[{"name":"red","when":"order.colour == 'red'","reject":"no"}]}`)}
	_, err := b.ledger.SaveRules(t.Context(), later, "q1")
	must(t, err)
	for _, path := range []string{"/rules", "/rules/" + later.Version} {
		if a := b.ask(t, "GET", path, ""); a.code != 200 || !strings.Contains(string(a.body), `"name":"red"`) {
			t.Errorf("%s is answered %d %s", path, a.code, a.body)
		}
	}
	for _, path := range []string{"/activate", "/shadow", "/simulate"} {
		b.ask(t, "POST", "/rules/"+later.Version+path, "").problem(t, 400)
	}
}

// TestTooManyRules refuses a version beyond the bound, and still knows the others.
func TestTooManyRules(t *testing.T) {
	b := open(t)
	version := b.push(t, holdsLarge, 201)
	for n := range order.MaxRuleSets - 1 {
		_, err := b.ledger.SaveRules(t.Context(), order.RuleSet{Version: fmt.Sprintf("%012x", n), Source: []byte("rules: []")}, "q1")
		must(t, err)
	}
	if p := b.ask(t, "POST", "/rules", "rules: []", "Content-Type", yamlMedia).problem(t, 409); p.Type != "tag:orderprocessor,2026:too-many-rules" {
		t.Errorf("%+v", p)
	}
	if got := b.push(t, holdsLarge, 200); got != version {
		t.Errorf("version %s became %s", version, got)
	}
	if versions, _ := b.ask(t, "GET", "/rules", "").object(t, 200)["versions"].([]any); len(versions) != 101 {
		t.Errorf("%d versions are listed", len(versions))
	}
}
