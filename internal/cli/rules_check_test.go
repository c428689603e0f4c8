package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const badRules = "rules:\n- name: a\n  when: order.itms.size() > 1\n  reject: too many\n- name: b\n  when: 'true'\n"

func TestRulesCheck(t *testing.T) {
	t.Parallel()
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte(badRules), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name, file, stdin string
		status            int
		want              []string
	}{
		{"valid", "testdata/rules.yaml", "", 0, []string{`^testdata/rules.yaml: 2 rules, version [0-9a-f]{12}\n$`}},
		{"standard input", "-", `{"rules": [{"name": "a", "when": "true", "tag": "x"}]}`, 0, []string{`^-: 1 rule, version [0-9a-f]{12}\n$`}},
		{"invalid", bad, "", 1, []string{
			`^` + regexp.QuoteMeta(bad) + `:3:15: rules\[0\]\.when: must use a field that exists, not itms: order has .*\n` +
				regexp.QuoteMeta(bad) + `:5:3: rules\[1\]: must have one of reject, .*\norderctl: .* is no rule set; problems: 2\n$`,
		}},
		{"too long", "-", strings.Repeat("# \n", 1<<16), 1, []string{`^-:1:1: rules: must have at most 64 KiB\n`}},
		{"characters that mislead", "-", "\x1b[2J: 1", 1, []string{`^-:1:1: rules: must not contain the character U\+001B\n`}},
		{"no such file", "none.yaml", "", 1, []string{`read the rules: open none.yaml`}},
		{"a folder", "testdata", "", 1, []string{`read the rules: read testdata`}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			orderctlIn(t, world{stdin: strings.NewReader(row.stdin)}, "rules", "check", row.file).mustExit(t, row.status, row.want...)
		})
	}
}

func TestRulesCheckForPrograms(t *testing.T) {
	t.Parallel()
	type result struct {
		File, Version string
		Rules         int
		Problems      []struct {
			Field, Code, Message string
			Line, Column         int
		}
	}
	check := func(status int, args ...string) (got result) {
		t.Helper()
		c := orderctlIn(t, world{stdin: strings.NewReader("rules: 5")}, append([]string{"rules", "check", "-o", "json"}, args...)...)
		c.mustExit(t, status)
		if err := json.Unmarshal([]byte(c.stdout.String()), &got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := check(0, "testdata/rules.yaml"); got.Rules != 2 || len(got.Version) != 12 || got.Problems == nil || len(got.Problems) > 0 {
		t.Errorf("%+v", got)
	}
	got := check(1, "-")
	want := result{File: "-"}
	if len(got.Problems) == 1 {
		p := got.Problems[0]
		if p.Field != "rules" || p.Code != "wrong_type" || p.Line != 1 || p.Column != 8 || p.Message != "must be a list of rules" {
			t.Errorf("problem %+v", p)
		}
		got.Problems = nil
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRulesCheckNeedsAFile(t *testing.T) {
	t.Parallel()
	orderctl(t, "rules", "check").mustExit(t, 2, `accepts 1 arg`)
	orderctl(t, "rules").mustExit(t, 0, `orderctl rules check rules.yaml`)
}
