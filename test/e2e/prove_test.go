package e2e_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/client"
	"orderprocessor/internal/programtest"
)

// proof is what the tests read of the result of orderctl prove.
type proof struct {
	Run         string
	Interrupted bool
	Orders      int
	Calls       int
	Guarantees  []struct {
		Guarantee string
		Verdict   string
		Evidence  string
		Problems  []struct {
			Order string
			What  string
			Calls []string
		}
	}
}

// with returns the guarantees that have a verdict.
func (p proof) with(verdict string) (names []string) {
	for _, g := range p.Guarantees {
		if g.Verdict == verdict {
			names = append(names, g.Guarantee)
		}
	}
	return names
}

// prover returns orderctl prove for an API, with a few orders.
func prover(t *testing.T, api string, args ...string) *exec.Cmd {
	t.Helper()
	args = append([]string{"prove", "--api", api, "--orders", "16", "--for", "5s", "--output", "json"}, args...)
	return exec.CommandContext(t.Context(), filepath.Join(binaries, "orderctl"), args...)
}

// prove runs orderctl prove, which has to exit with the status.
func prove(t *testing.T, exit int, cmd *exec.Cmd) (p proof) {
	t.Helper()
	out, _ := cmd.Output()
	if err := json.Unmarshal(out, &p); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got := cmd.ProcessState.ExitCode(); got != exit {
		t.Errorf("exit status %d, want %d: %s", got, exit, out)
	}
	return p
}

// TestProve holds that a sound installation keeps all guarantees, and that no order of
// others is touched.
func TestProve(t *testing.T) {
	s := start(t)
	s.worker()
	rejected, later := sample("prove-rejected"), sample("later")
	rejected.Amount = 10_001
	later.ProcessAt = time.Now().Add(time.Hour).Format(time.RFC3339)
	for _, o := range []submission{sample("completed"), rejected, later} {
		s.submit(o)
	}
	s.untilProcessed(2)
	others := func() (all []string) {
		for _, id := range []string{"completed", "prove-rejected", "later"} {
			all = append(all, string(s.Send("GET", "/orders/"+id, "").Body), string(s.Send("GET", "/orders/"+id+"/events", "").Body))
		}
		return all
	}
	before := others()
	p := prove(t, 0, prover(t, s.URL))
	if diff := cmp.Diff([]string{"kept", "outcome", "once", "cancel", "retry", "refused", "events", "books", "answers"}, p.with("held")); diff != "" {
		t.Errorf("held (-want +got):\n%s\n%+v", diff, p)
	}
	if diff := cmp.Diff(before, others()); diff != "" {
		t.Errorf("orders of others (-before +after):\n%s", diff)
	}
	if n := s.Stats().Ledger.Accepted; p.Orders == 0 || int(n) != p.Orders+3 {
		t.Errorf("%d orders were accepted, and orderctl called %d", n, p.Orders)
	}
}

// TestProveFinds lets a proxy lie in one way after the other. The guarantee that the lie
// breaks must be broken, with the order's calls, and no other.
func TestProveFinds(t *testing.T) {
	s := start(t)
	s.worker()
	t.Run("", func(t *testing.T) {
		for _, l := range lies() {
			t.Run(l.name, func(t *testing.T) {
				t.Parallel()
				proxy := openProxy(t, func() string { return s.URL }, l.answer())
				p := prove(t, 1, prover(t, proxy))
				if diff := cmp.Diff([]string{l.broken}, p.with("broken")); diff != "" {
					t.Errorf("broken (-want +got):\n%s\n%+v", diff, p)
				}
			})
		}
	})
}

// TestProveWithoutRights says what a key lacks, and does not count it as broken.
func TestProveWithoutRights(t *testing.T) {
	s := start(t)
	s.worker()
	guarded := s.anotherAPI("ORDERS_API_KEYS=" + line("a", "submit+read", "ok_a") + "," + line("b", "read+admin", "ok_b") + "," + line("c", "submit", "ok_c"))
	guarded.AwaitServing("Authorization", "Bearer ok_a")
	for _, row := range []struct {
		key  string
		exit int
		held []string
	}{
		{"ok_a", 0, []string{"kept", "outcome", "once", "cancel", "refused", "events", "books", "answers"}},
		{"ok_b", 1, nil},
		{"ok_c", 0, []string{"once", "answers"}},
	} {
		cmd := prover(t, guarded.URL, "--for", "3s")
		cmd.Env = append(cmd.Environ(), "ORDERCTL_API_KEY="+row.key)
		p := prove(t, row.exit, cmd)
		if diff := cmp.Diff(row.held, p.with("held")); diff != "" || len(p.with("broken")) > 0 {
			t.Errorf("%s: held (-want +got):\n%s\n%+v", row.key, diff, p)
		}
	}
	cmd := prover(t, guarded.URL)
	cmd.Env = append(cmd.Environ(), "ORDERCTL_API_KEY=ok_unknown")
	if out, err := cmd.CombinedOutput(); err == nil || cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("an unknown key: %v, %s", err, out)
	}
}

// TestProveThroughKills kills the API and the worker while orders are called. Nothing is
// broken, and all is shown once they are back.
func TestProveThroughKills(t *testing.T) {
	s := start(t)
	worker := s.worker()
	var url atomic.Value
	url.Store(s.URL)
	var calls atomic.Int64
	proxy := openProxy(t, func() string { return url.Load().(string) }, func(*exchange) *reply {
		calls.Add(1)
		return nil
	})
	cmd := prover(t, proxy)
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		programtest.Poll(programtest.Patience, func() bool { return calls.Load() > 100 })
		s.api.Kill()
		worker.Kill()
	}()
	var p proof
	proved := make(chan struct{})
	go func() {
		defer close(proved)
		p = prove(t, 0, cmd)
	}()
	<-killed
	url.Store(s.anotherAPI().URL)
	s.API = s.At(url.Load().(string))
	s.worker()
	<-proved
	if len(p.with("held")) != len(p.Guarantees) {
		t.Errorf("not all is shown: %+v", p)
	}
}

// TestProveWithoutAnAPI ends in time, and breaks nothing, when the API goes away or hangs
// for good.
func TestProveWithoutAnAPI(t *testing.T) {
	s := start(t)
	s.worker()
	for name, gone := range map[string]func(x *exchange) *reply{
		"away":  func(*exchange) *reply { panic(http.ErrAbortHandler) },
		"hangs": func(x *exchange) *reply { <-x.gone; panic(http.ErrAbortHandler) },
	} {
		var calls atomic.Int64
		proxy := openProxy(t, func() string { return s.URL }, func(x *exchange) *reply {
			if calls.Add(1) < 150 {
				return nil
			}
			return gone(x)
		})
		ctx, cancel := context.WithTimeout(t.Context(), programtest.Patience)
		cmd := prover(t, proxy, "--grace", "2s")
		p := prove(t, 0, cmd)
		if len(p.with("broken")) > 0 || len(p.with("not shown")) == 0 || ctx.Err() != nil {
			t.Errorf("%s: %+v", name, p)
		}
		cancel()
	}
}

// TestProveIsInterrupted shows what was seen until Ctrl-C.
func TestProveIsInterrupted(t *testing.T) {
	s := start(t)
	s.worker()
	cmd := prover(t, s.URL, "--for", "1h", "--orders", "10000")
	go func() {
		programtest.Poll(programtest.Patience, func() bool {
			var st client.Stats
			return s.Get("/stats", &st) == nil && st.Ledger.Accepted > 5
		})
		_ = cmd.Process.Signal(syscall.SIGINT)
	}()
	p := prove(t, 1, cmd)
	if !p.Interrupted || p.Orders == 0 || len(p.with("broken")) > 0 {
		t.Errorf("%+v", p)
	}
}
