package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/app"
	"orderprocessor/internal/client"
	"orderprocessor/internal/config"
)

func TestFindingText(t *testing.T) {
	t.Parallel()
	f := finding(app.FindingNotChecked, "redis", "persistence", "one two three four five six", "do what docs/a-path-that-is-longer-than-the-screen.md says")
	const want = `not checked  redis: persistence
    one two three four
    five six
    → do what
    docs/a-path-that-is-longer-than-the-screen.md
    says
`
	if diff := cmp.Diff(want, findingText(f, "→ ", 24)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestDoctorWithoutRedisURL(t *testing.T) {
	t.Parallel()
	api, _, err := config.LoadAll(nil)
	if err != nil {
		t.Fatal(err)
	}
	for state, want := range map[app.FindingState]string{
		app.FindingProblem: "REDIS_URL is not set here, and there is none at redis://127.0.0.1:6379/0",
		app.FindingOK:      "REDIS_URL is not set here, and the Redis at redis://127.0.0.1:6379/0 cannot be asked without it",
	} {
		got := settings{redis: api.Redis}.redisNotNamed([]app.Finding{{State: state}})
		if got.State != app.FindingNotChecked || got.Found != want || got.Advice == "" {
			t.Errorf("%s: %+v", state, got)
		}
	}
}

// TestDoctorComparesVersions checks that a program of another build than orderctl is a
// warning, unless orderctl does not know its own.
func TestDoctorComparesVersions(t *testing.T) {
	t.Parallel()
	const one, other = "commit 1, go1", "commit 2, go1"
	for _, row := range []struct {
		version, own string
		state        app.FindingState
		want         string
	}{
		{one, one, app.FindingOK, "ready"},
		{other, one, app.FindingWarning, "ready, of " + other + "; orderctl is of " + one},
		{"", one, app.FindingWarning, "ready, of a build that does not know its version; orderctl is of " + one},
		{one, "commit unknown, go1", app.FindingOK, "ready"},
		{"\x1b[2J", one, app.FindingWarning, "ready, of  [2J; orderctl is of " + one},
	} {
		f := checkVersion("admin", "API", row.version, row.own)
		if f.State != row.state || f.Found != row.want || (f.State == app.FindingWarning) != (f.Advice != "") {
			t.Errorf("%q and %q: %+v", row.version, row.own, f)
		}
	}
}

func TestDoctorJudgesAddresses(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://127.0.0.1:1": "https://127.0.0.1:1, over TLS", "http://localhost:1": "http://localhost:1, on this machine",
		"http://[::1]:1": "http://[::1]:1, on this machine", "http://orders.invalid": "http://orders.invalid: keys and orders can be read in transit",
	} {
		api, err := client.New(address, client.Options{})
		if err != nil {
			t.Fatal(err)
		}
		f := checkAddress(api)
		if f.Found != want || (f.State == app.FindingWarning) != (address == "http://orders.invalid") {
			t.Errorf("%s: %+v", address, f)
		}
	}
}
