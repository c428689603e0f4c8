package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/app"
	"orderprocessor/internal/config"
)

func TestDoctorScreen(t *testing.T) {
	t.Parallel()
	findings := []app.Finding{
		{Area: "redis", Check: "clock", State: app.FindingOK, Found: "0 ms from the clock of Redis"},
		{
			Area: "redis", Check: "persistence", State: app.FindingNotChecked,
			Found: "one two three four five six", Advice: "do what docs/a-path-that-is-longer-than-the-screen.md says",
		},
	}
	want := []string{
		"ok           redis: clock",
		"    0 ms from the clock",
		"    of Redis",
		"not checked  redis: persistence",
		"    one two three four",
		"    five six",
		"    → do what",
		"    docs/a-path-that-is-longer-than-the-screen.md",
		"    says",
	}
	if diff := cmp.Diff(want, screenOf(findings, 24)); diff != "" {
		t.Errorf("screen of 24 columns (-want +got):\n%s", diff)
	}
}

// TestDoctorExcusesNoRedis tells apart what may be at an address that nobody named.
func TestDoctorExcusesNoRedis(t *testing.T) {
	t.Parallel()
	api, _, err := config.LoadAll(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := settings{redis: api.Redis}
	for _, tt := range []struct {
		name  string
		state app.FindingState // of the connection
		says  string
	}{
		{"nothing", app.FindingProblem, "REDIS_URL is not set here, and there is none at redis://127.0.0.1:6379/0"},
		{"another's", app.FindingOK, "REDIS_URL is not set here, and the Redis at redis://127.0.0.1:6379/0 cannot be asked without it"},
	} {
		got := s.noRedisHere([]app.Finding{{State: tt.state}})
		if got.State != app.FindingNotChecked || got.Found != tt.says || got.Advice == "" {
			t.Errorf("%s: it is %+v", tt.name, got)
		}
	}
}

// TestDoctorComparesTheVersionsOfAdminAddresses holds that a program of another build
// than orderctl is a warning, unless orderctl does not know its own.
func TestDoctorComparesTheVersionsOfAdminAddresses(t *testing.T) {
	t.Parallel()
	const one, other = "commit 1, go1", "commit 2, go1"
	for _, row := range []struct {
		version, own string
		state        app.FindingState
		says         string
	}{
		{one, one, app.FindingOK, "ready"},
		{other, one, app.FindingWarning, "ready, of " + other + "; orderctl is of " + one},
		{"", one, app.FindingWarning, "ready, of a build that does not tell"},
		{one, "commit unknown, go1", app.FindingOK, "ready"},
	} {
		f := app.Finding{State: app.FindingOK, Found: "ready"}
		judgeVersion(&f, row.version, row.own)
		if f.State != row.state || !strings.HasPrefix(f.Found, row.says) || (f.State == app.FindingWarning) != (f.Advice != "") {
			t.Errorf("%q beside %q: %+v", row.version, row.own, f)
		}
	}
}
