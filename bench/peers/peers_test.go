package peers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	testOrders  = 200
	testCallers = 8
	testSlots   = 16
	testTries   = 3
	testLimit   = time.Minute
)

// inspected is what every system lets the tests see.
type inspected interface {
	System
	worked() []string
	where() *home
}

func TestPeersWorkEveryOrderOnce(t *testing.T) {
	t.Parallel()
	for _, p := range All() {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), testLimit)
			defer cancel()
			s := open(ctx, t, p)
			enqueueAndDrain(ctx, t, s, "first")
			pickUp(ctx, t, s)
			enqueueAndDrain(ctx, t, s, "second") // a system can be used again
			closeAll(t, s)
		})
	}
}

func open(ctx context.Context, t *testing.T, p Peer) inspected {
	t.Helper()
	s, err := p.Open(ctx, t.TempDir())
	if skipped := (Skipped{}); errors.As(err, &skipped) {
		t.Skip(skipped.Reason)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s.(inspected)
}

func enqueueAndDrain(ctx context.Context, t *testing.T, s inspected, prefix string) {
	t.Helper()
	bodies, ids := someOrders(prefix)
	if err := s.Enqueue(ctx, bodies, testCallers); err != nil {
		t.Fatal(err)
	}
	took, err := s.Drain(ctx, testOrders, testSlots)
	if err != nil {
		t.Fatal(err)
	}
	if took <= 0 {
		t.Errorf("the drain took %v", took)
	}
	if diff := cmp.Diff(ids, slices.Sorted(slices.Values(s.worked()))); diff != "" {
		t.Errorf("worked other orders than were enqueued (-want +got):\n%s", diff)
	}
}

// someOrders returns orders of all priorities, some of which are rejected, with
// their sorted ids.
func someOrders(prefix string) (bodies [][]byte, ids []string) {
	for n := range testOrders {
		id := fmt.Sprintf("%s-%03d", prefix, n)
		ids = append(ids, id)
		bodies = append(bodies, fmt.Appendf(nil,
			`{"id":%q,"amount":%d.50,"items":["tea","cups"],"customer":"ada","address":"1 Example Road","priority":%d}`,
			id, 1+n*100, 1+n%3))
	}
	return bodies, ids
}

func pickUp(ctx context.Context, t *testing.T, s System) {
	t.Helper()
	waits, err := s.Pickup(ctx, testTries)
	if err != nil {
		t.Fatal(err)
	}
	if len(waits) != testTries {
		t.Errorf("got %d waits, want %d", len(waits), testTries)
	}
	if len(waits) > 0 && slices.Min(waits) < 0 {
		t.Errorf("the waits %v are not all positive", waits)
	}
}

// closeAll closes the system and looks for what it left behind.
func closeAll(t *testing.T, s inspected) {
	t.Helper()
	groups := s.where().pids()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for _, group := range groups {
		if err := syscall.Kill(-group, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process group %d is still there: %v", group, err)
		}
	}
}

func TestPeersNameTheVersionsOfTheModules(t *testing.T) {
	t.Parallel()
	pinned, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for name, module := range map[string]string{
		"Asynq": "github.com/hibiken/asynq", "River": "github.com/riverqueue/river",
	} {
		n := slices.IndexFunc(All(), func(p Peer) bool { return p.Name == name })
		if n < 0 {
			t.Fatalf("there is no peer %q", name)
		}
		if line := module + " " + All()[n].Version; !bytes.Contains(pinned, []byte(line)) {
			t.Errorf("go.mod does not say %q", line)
		}
	}
}
