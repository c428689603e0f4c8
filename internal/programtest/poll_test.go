package programtest_test

import (
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"orderprocessor/internal/programtest"
)

// TestPoll checks that the condition is polled until it is true or the time is up, at least
// once.
func TestPoll(t *testing.T) {
	t.Parallel()
	polls := 0
	if !programtest.Poll(programtest.Patience, func() bool { polls++; return polls == 3 }) || polls != 3 {
		t.Errorf("it polled %d times, and the third was true", polls)
	}
	polls = 0
	if programtest.Poll(30*time.Millisecond, func() bool { polls++; return false }) || polls < 2 {
		t.Errorf("it polled %d times, or reported a false condition as true", polls)
	}
	if !programtest.Poll(0, func() bool { return true }) {
		t.Error("it did not poll")
	}
}

// TestUntil checks that the test ends, with the reason, when the time is up.
func TestUntil(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := try(func(tb testing.TB) {
			programtest.Until(tb, "it is true", func() bool { return true })
			programtest.Until(tb, "tea is served", func() bool { return false })
			t.Error("the test went on")
		})
		if !r.failed || r.log.String() != "gave up waiting until tea is served\n" {
			t.Errorf("failed: %v, and logged %q", r.failed, r.log.String())
		}
	})
}

// TestFreePorts checks that the ports differ, and that each can be listened on.
func TestFreePorts(t *testing.T) {
	t.Parallel()
	free := map[string]bool{}
	for _, port := range programtest.FreePorts(t, 5) {
		var l net.Listener
		// A process that is being started has a copy of every listener, until it runs.
		programtest.Until(t, "port "+port+" is free", func() bool {
			var err error
			l, err = net.Listen("tcp", "127.0.0.1:"+port)
			return err == nil
		})
		t.Cleanup(func() { _ = l.Close() })
		free[port] = true
	}
	if len(free) != 5 {
		t.Errorf("%d of 5 ports are free", len(free))
	}
}

// TestSettings checks that the settings of a test take precedence over those of the kit.
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
