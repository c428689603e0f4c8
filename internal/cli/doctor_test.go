package cli_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"orderprocessor/internal/app"
	"orderprocessor/internal/redistest"
)

// statsOf are statistics as the API writes them.
func statsOf(drift int) string {
	return fmt.Sprintf(`{"active_workers":8,"by_status":{"pending":0},"ledger":{"accepted":7,"drift":%d}}`, drift)
}

// diagnose returns the state, text and advice of each finding by area and check.
func diagnose(t *testing.T, status int, in world, args ...string) map[string]string {
	t.Helper()
	c := orderctlIn(t, in, append([]string{"doctor", "-o", "json"}, args...)...)
	c.mustExit(t, status)
	var d struct {
		Problems, Warnings int
		Findings           []app.Finding
	}
	if err := json.Unmarshal([]byte(c.stdout.String()), &d); err != nil {
		t.Fatalf("%v: %s", err, c.stdout.String())
	}
	found := map[string]string{}
	counts := map[app.FindingState]int{}
	for _, f := range d.Findings {
		found[f.Area+"/"+f.Check] = fmt.Sprintf("%s: %s | %s", f.State, f.Found, f.Advice)
		counts[f.State]++
	}
	if d.Problems != counts[app.FindingProblem] || d.Warnings != counts[app.FindingWarning] {
		t.Errorf("%d problems and %d warnings are counted: %v", d.Problems, d.Warnings, counts)
	}
	return found
}

func mustFind(t *testing.T, found map[string]string, name, pattern string) {
	t.Helper()
	if !regexp.MustCompile(pattern).MatchString(found[name]) {
		t.Errorf("%s is %q, want %s", name, found[name], pattern)
	}
}

// TestDoctorOfAService runs the command against the service itself.
func TestDoctorOfAService(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--maxmemory", "1gb", "--appendonly", "yes", "--hash-max-listpack-value", "1024")
	in := world{environ: []string{"REDIS_URL=" + server.URL()}}
	dev := &command{world: in}
	dev.start(t, "dev", "--http", "127.0.0.1:0")
	found := dev.waitFor(t, `API +(http://\S+)[\s\S]*API admin +http://(\S+)/readyz[\s\S]*Press Ctrl-C`)
	in.environ = append(in.environ, "ORDERS_ADMIN_ADDR="+found[2])
	c := orderctlIn(t, in, "doctor", "--api", found[1])
	c.mustExit(t, 0, `(?m)^ok +settings +environment +every variable is valid$`, `(?m)^ok +redis +connection`,
		`(?m)^ok +queues +workers +1 alive, with 64 slots`, `(?m)^ok +api +verdict +All is well\. No order waits`, `(?m)^ok +api +key +the API requires none`,
		`(?m)^ok +api +books +balanced, 0 orders accepted, 64 worker slots`, `(?m)^ok +programs +versions +1 api and 1 worker of `, `(?m)^ok +admin +program at `+regexp.QuoteMeta(found[2])+` +ready$`, `\nproblems: 0, warnings: 0\n$`)
}

// TestDoctorFinds checks what only this command finds; package app finds the rest.
func TestDoctorFinds(t *testing.T) {
	t.Parallel()
	healthy := exchange{"GET /health", 200, `{"status":"healthy"}`}
	stats := exchange{"GET /stats", 200, statsOf(0)}
	for _, tt := range []struct {
		name    string
		environ []string
		api     []exchange
		check   string
		want    string
	}{
		{"unknown variable", []string{"ORDERS_RETENTIO=1h"}, []exchange{healthy, stats}, "settings/ORDERS_RETENTIO", `^problem: .*did you mean ORDERS_RETENTION\?`},
		{"wrong value", []string{"ORDERS_MAX_ATTEMPTS=-1", "ORDERS_RETENTIO=1h"}, []exchange{healthy, stats}, "settings/ORDERS_MAX_ATTEMPTS", `^problem: ORDERS_MAX_ATTEMPTS="-1" must be .* \| correct it`},
		{"wrong Redis", []string{"REDIS_URL=http://secret@x"}, []exchange{healthy, stats}, "redis/connection", `^not checked: REDIS_URL does not say where Redis is`},
		{"unsigned calls", []string{"ORDERS_FULFILMENT_URL=http://shop"}, []exchange{healthy, stats}, "settings/fulfilment", `^warning: .*ORDERS_FULFILMENT_SECRET`},
		{"insecure", []string{"ORDERS_INSECURE=true"}, []exchange{healthy, stats}, "settings/keys", `^warning: whoever reaches the API`},
		{"key", []string{"ORDERCTL_API_KEY=ok_right"}, []exchange{healthy, stats}, "api/key", `^ok: known, with the scope read; submit and admin are not checked`},
		{"key without scope", []string{"ORDERCTL_API_KEY=ok_right"}, []exchange{healthy, {"GET /stats", 403, problem(403, "No.", "")}}, "api/key", `^warning: known, and without the scope read`},
		{"wrong key", []string{"ORDERCTL_API_KEY=ok_right"}, []exchange{healthy, {"GET /stats", 401, problem(401, "No.", "")}}, "api/key", `^problem: 401: No; the API does not know this key`},
		{"no key", nil, []exchange{healthy, {"GET /stats", 401, problem(401, "No.", "")}}, "api/key", `^problem: 401: No; the API requires a key`},
		{"unhealthy", nil, []exchange{{"GET /health", 503, `{"status":"unhealthy","reason":"no worker is alive"}`}, stats}, "api/health", `^problem: 503: no worker is alive \| see the findings`},
		{"earlier version", nil, []exchange{healthy, stats}, "api/health", `^ok: healthy: orders are accepted and worked \| $`},
		{"bad verdict", nil, []exchange{{"GET /health", 503, downHealth}, stats}, "api/verdict", `^problem: The shop takes no orders since 2026-11-24T11:00:00Z \| Orders wait\. \[2J$`},
		{
			"warning", nil,
			[]exchange{{"GET /health", 200, `{"verdict":{"level":"warning","what":"Orders wait long","advice":"Start workers.","also":["Paused: low","x"]}}`}, stats},
			"api/verdict", `^warning: Orders wait long; also: Paused: low; x \| Start workers\.$`,
		},
		{"unknown", nil, []exchange{{"GET /health", 200, `{"verdict":{"level":"unknown","what":"Orders wait","advice":"Wait."}}`}, stats}, "api/verdict", `^ok: Orders wait \| Wait\.$`},
		{"Redis of the API", nil, []exchange{{"GET /health", 503, away}, {"GET /stats", 503, away}}, "api/key", `^not checked: 503: Redis is unavailable`},
		{"drift", nil, []exchange{healthy, {"GET /stats", 200, statsOf(-2)}}, "api/books", `^problem: the drift is -2: the books do not balance`},
		{"another's API", nil, []exchange{healthy, {"GET /stats", 200, `{}`}}, "api/books", `^problem: the answer is not that of an order API`},
		{"control characters", nil, []exchange{{"GET /health", 503, "{\"reason\":\"\\u001b[2J\"}"}, stats}, "api/health", `^problem: 503:  \[2J`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			api := newScript(t, tt.api...)
			found := diagnose(t, 1, world{environ: append([]string{"REDIS_URL=" + server.URL()}, tt.environ...)}, "--api", api.URL)
			mustFind(t, found, tt.check, tt.want)
			if text := fmt.Sprint(found); strings.Contains(text, "ok_right") || strings.Contains(text, "secret@") {
				t.Errorf("a secret is shown: %s", text)
			}
			if tt.name != "wrong Redis" {
				mustFind(t, found, "queues/workers", `^problem: none is alive`) // Redis is checked all the same
			}
		})
	}
}

func TestDoctorReadsAdminAddresses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		status int
		body   string
		want   string
	}{
		{"ready", 200, `{"status":"ok"}`, `^ok: ready \| $`},
		{"starting", 503, `{"status":"unavailable","reason":"starting: waiting for Redis"}`, `^problem: not ready: 503: starting: waiting for Redis`},
		{"something else", 404, `nothing here`, `^not checked: no program answers there`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			admin := newScript(t, exchange{"GET /readyz", tt.status, tt.body})
			in := world{environ: []string{
				"REDIS_URL=redis://127.0.0.1:1", "ORDERCTL_API_KEY=ok_right",
				"ORDERS_ADMIN_ADDR=" + strings.TrimPrefix(admin.URL, "http://"),
			}}
			found := diagnose(t, 1, in, "--api", "http://127.0.0.1:1")
			mustFind(t, found, "admin/program at "+strings.TrimPrefix(admin.URL, "http://"), tt.want)
			if n := strings.Count(fmt.Sprint(found), "admin/"); n != 1 {
				t.Errorf("one address is reported %d times: %v", n, found)
			}
			if keys := admin.keys(); len(keys) > 0 {
				t.Errorf("the key was sent: %v", keys)
			}
		})
	}
}

// TestDoctorAsksDefaultAdminAddresses checks that each is asked for what it is the
// default of, and that none is where the environment names no address. Something may
// answer there on the machine of this test.
func TestDoctorAsksDefaultAdminAddresses(t *testing.T) {
	t.Parallel()
	in := world{environ: []string{"REDIS_URL=redis://127.0.0.1:1"}}
	found := diagnose(t, 1, in, "--api", "http://127.0.0.1:1")
	for _, name := range []string{"API at 127.0.0.1:8081", "worker at 127.0.0.1:8082"} {
		mustFind(t, found, "admin/"+name, `^(ok|problem|not checked): `)
	}
	in.environ = append(in.environ, "ORDERS_ADMIN_ADDR=nowhere")
	if found := diagnose(t, 1, in, "--api", "http://127.0.0.1:1"); strings.Contains(fmt.Sprint(found), "admin/") {
		t.Errorf("an address is asked that nobody named: %v", found)
	}
}

// TestDoctorEnds checks that neither a Redis nor an API that hangs keeps it.
func TestDoctorEnds(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	server.Freeze()
	hanging := newScript(t, exchange{"GET /health", neverAnswer, ""})
	found := diagnose(t, 1, world{environ: []string{"REDIS_URL=" + server.URL()}}, "--api", hanging.URL)
	mustFind(t, found, "redis/connection", `^problem: no answer from Redis`)
	mustFind(t, found, "api/health", `^problem: no answer from the API`)
}

// TestDoctorKnowsNoRedis names none: where nothing answers at the default of the
// programs, that is a problem only if the API is away as well. Something may answer
// there on the machine of this test.
func TestDoctorKnowsNoRedis(t *testing.T) {
	t.Parallel()
	api := newScript(t, exchange{"GET /health", 200, `{"status":"healthy"}`}, exchange{"GET /stats", 200, statsOf(0)})
	orderctl(t, "doctor", "--api", api.URL).waitFor(t, `(?m)^(not checked|ok) +redis +connection`)
	orderctl(t, "doctor", "--api", "http://127.0.0.1:1").waitFor(t, `(?m)^(problem|ok) +redis +connection`)
}

func TestDoctorIsInterrupted(t *testing.T) {
	t.Parallel()
	runScripted(t, scripted{
		"no answer", "REDIS_URL=redis://127.0.0.1:1 doctor",
		[]exchange{{"GET /health", neverAnswer, ""}},
		1, "", "orderctl: interrupted\n",
	})
}
