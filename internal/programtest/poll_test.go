package programtest_test

import (
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"orderprocessor/internal/programtest"
)

// TestPoll looks until it is true, for so long, and once at least.
func TestPoll(t *testing.T) {
	t.Parallel()
	looks := 0
	if !programtest.Poll(programtest.Patience, func() bool { looks++; return looks == 3 }) || looks != 3 {
		t.Errorf("it looked %d times for what was true at the third", looks)
	}
	looks = 0
	if programtest.Poll(30*time.Millisecond, func() bool { looks++; return false }) || looks < 2 {
		t.Errorf("it looked %d times for what is never true, or says it was", looks)
	}
	if !programtest.Poll(0, func() bool { return true }) {
		t.Error("it did not look")
	}
}

// TestUntil holds that the test is over, and says why, when the patience is.
func TestUntil(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := try(func(tb testing.TB) {
			programtest.Until(tb, "it is true", func() bool { return true })
			programtest.Until(tb, "tea is served", func() bool { return false })
			t.Error("the test went on")
		})
		if !r.failed || r.said.String() != "gave up waiting until tea is served\n" {
			t.Errorf("failed: %v, and said %q", r.failed, r.said.String())
		}
	})
}

// TestFreePorts takes ports, each of which can be listened on.
func TestFreePorts(t *testing.T) {
	t.Parallel()
	taken := map[string]bool{}
	for _, port := range programtest.FreePorts(t, 5) {
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			t.Error(err)
			continue
		}
		t.Cleanup(func() { _ = l.Close() })
		taken[port] = true
	}
	if len(taken) != 5 {
		t.Errorf("%d of 5 ports are there to be taken", len(taken))
	}
}

// TestSettings holds that what a test sets comes after what the kit does.
func TestSettings(t *testing.T) {
	t.Parallel()
	p := programtest.Start(t, programtest.Config{Path: "env", Env: programtest.Settings("ORDERS_HTTP_ADDR=elsewhere")})
	p.Exit()
	for _, want := range []string{"ORDERS_HTTP_ADDR=elsewhere\n", "ORDERS_ADMIN_ADDR=127.0.0.1:0\n", "ORDERS_LOG_FORMAT=json\n"} {
		if !strings.Contains(p.Log(), want) {
			t.Errorf("the environment has no %q", want)
		}
	}
}
