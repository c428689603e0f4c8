package cli_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestLoadUsage holds that nothing is sent for arguments that are wrong.
func TestLoadUsage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, says string
		args       []string
	}{
		{"no rate", `--rate must be 1 to 100000`, nil},
		{"rate below", `--rate must be 1 to 100000`, []string{"--rate", "0"}},
		{"rate above", `--rate must be 1 to 100000`, []string{"--rate", "100001"}},
		{"rate is no number", `invalid argument "fast" for "--rate"`, []string{"--rate", "fast"}},
		{"duration below", `--duration must be 1s to 24h0m0s`, []string{"--duration", "999ms"}},
		{"duration above", `--duration must be 1s to 24h0m0s`, []string{"--duration", "24h1s"}},
		{"duration without unit", `invalid argument "30" for "--duration"`, []string{"--duration", "30"}},
		{"batch below", `--batch must be 0 to 10000`, []string{"--batch", "-1"}},
		{"batch above", `--batch must be 0 to 10000`, []string{"--batch", "10001"}},
		{"batch of all and more", `--batch is more than the 2s of --duration bring`, []string{"--batch", "21", "--duration", "2s"}},
		{"connections below", `--connections must be 1 to 1024`, []string{"--connections", "0"}},
		{"connections above", `--connections must be 1 to 1024`, []string{"--connections", "1025"}},
		{"mix of nothing", `no queue has a weight above 0`, []string{"--mix", "critical=0"}},
		{"empty mix", `the weight of "" must be a whole number from 0 to 1000, not ""; there is no queue ""`, []string{"--mix", ""}},
		{"mix with spaces", `there is no queue " low"`, []string{"--mix", "critical=1, low=1"}},
		{"mix with a sign", `the weight of "low" must be .*, not "\+1"$`, []string{"--mix", "low=+1"}},
		{"weight above", `the weight of "low" must be .*, not "1001"$`, []string{"--mix", "low=1001"}},
		{
			"everything wrong with a mix", `there is no queue "high"; the weight of "low" .* not "x"; low is named twice`,
			[]string{"--mix", "high=1,low=x,low=2"},
		},
		{"argument", `unknown command "now"`, []string{"now"}},
		{"output", `must be table or json`, []string{"-o", "xml"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			api := newLoadAPI(t, nil)
			args := append([]string{"load", "--api", api.URL, "--rate", "10"}, tt.args...)
			if tt.args == nil {
				args = args[:3]
			}
			c := orderctl(t, args...)
			c.mustEnd(t, 2, `(?m)^orderctl: .*`+tt.says, `Run "orderctl load --help"`)
			if out := c.stdout.String(); out != "" || api.asked > 0 || len(api.sent()) > 0 {
				t.Errorf("asked %d times, sent %d requests, wrote %q", api.asked, len(api.sent()), out)
			}
		})
	}
}

func TestLoadHelp(t *testing.T) {
	t.Parallel()
	orderctl(t, "load", "--help").mustEnd(t, 0, `Examples:`, `default critical=1,default=8,low=1`)
	orderctl(t, "__completeNoDesc", "load", "").mustEnd(t, 0, `^:4\n`)
}

// TestLoadIsConstant holds that the orders of the rate go out, over most of the
// time at least, each once, and that no two runs share an id.
func TestLoadIsConstant(t *testing.T) {
	t.Parallel()
	const rate = 100
	ids := map[string]bool{}
	for range 2 {
		var first, last time.Time // the connection is but one
		api := newLoadAPI(t, func(n int, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			if last = time.Now(); n == 1 {
				first = last
			}
		}, statsWith(0, 0, 0), statsWith(100, 70, 30))
		got := loadJSON(t, api, 0, "--rate", strconv.Itoa(rate), "--duration", "1s", "--connections", "1")
		sent := api.sent()
		if got.Sent != len(sent) || got.Accepted != got.Sent || got.Sent > rate || got.Sent < rate/10 {
			t.Errorf("%d requests came, and the result is %+v", len(sent), got)
		}
		if took := last.Sub(first); took < time.Second/8 {
			t.Errorf("all orders came within %v", took)
		}
		if got.SentPerSecond > rate || got.RateKept != (got.Sent == rate) {
			t.Errorf("the result is %+v", got)
		}
		if m := got.System; m == nil || m.Accepted != 100 || m.Settled != 70 || m.BacklogBefore != 2 || m.BacklogAfter != 32 || !m.KeptUp || m.Latency.EndToEnd.P95 != 2.5 {
			t.Errorf("the system did %+v", m)
		}
		for _, p := range sent {
			o := p.orders[0]
			if ids[o.ID] || !strings.HasPrefix(o.ID, "load-"+got.Run+"-") {
				t.Errorf("the id %q of run %s is not its own", o.ID, got.Run)
			}
			ids[o.ID] = true
		}
	}
}

// TestLoadOrders holds that the orders are what the help says, in the shares that
// were asked for whenever the load ends.
func TestLoadOrders(t *testing.T) {
	t.Parallel()
	api := newLoadAPI(t, nil)
	c := orderctlIn(t, world{environ: []string{"ORDERCTL_API_KEY=ok_secret"}}, "load",
		"--api", api.URL, "--rate", "100", "--duration", "1s", "--mix", "low=3,critical=1")
	c.mustEnd(t, 0, `one by one, critical=1,default=0,low=3\n`)
	var counts [4]int // by priority
	for _, p := range api.sent() {
		o := p.orders[0]
		counts[o.Priority]++
		if amount, err := o.Amount.Float64(); err != nil || amount <= 0 || amount >= 100 || len(o.Items) == 0 {
			t.Errorf("the order is %+v", o)
		}
		if p.path != "/orders" || p.kind != "application/json" || p.key != "Bearer ok_secret" || p.bytes < 270 || p.bytes > 350 {
			t.Errorf("the request is %+v", p)
		}
	}
	if high, all := counts[1], len(api.sent()); counts[0]+counts[2] > 0 || high < all/4 || high > all/4+1 {
		t.Errorf("of %d orders, %v have the priorities 0 to 3", all, counts)
	}
}

// TestLoadDoesNotWaitForAnswers holds that requests go out although none of those
// before them was answered.
func TestLoadDoesNotWaitForAnswers(t *testing.T) {
	t.Parallel()
	const enough = 5
	arrived := make(chan struct{})
	api := newLoadAPI(t, func(n int, w http.ResponseWriter, r *http.Request) {
		if n == enough {
			close(arrived)
		}
		select {
		case <-arrived:
			w.WriteHeader(http.StatusCreated)
		case <-r.Context().Done():
		}
	})
	if got := loadJSON(t, api, 0, "--rate", "60", "--duration", "1s"); got.Sent < enough {
		t.Errorf("the result is %+v", got)
	}
}

// TestLoadLatencyCountsTheWait holds that a request that finds the only connection
// busy counts the wait for it.
func TestLoadLatencyCountsTheWait(t *testing.T) {
	t.Parallel()
	api := newLoadAPI(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n == 1 {
			<-time.After(500 * time.Millisecond)
		}
		w.WriteHeader(http.StatusCreated)
	})
	got := loadJSON(t, api, 0, "--rate", "50", "--duration", "1s", "--connections", "1")
	l := got.LatencyMS
	if l.P90 < 100 || l.Max < 500 || l.P50 > l.P90 || l.P90 > l.P99 || l.P99 > l.Max {
		t.Errorf("the latencies are %+v", l)
	}
}
