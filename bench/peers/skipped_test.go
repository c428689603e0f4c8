package peers

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// Not parallel, because the PATH is everybody's.
func TestPeersWithoutTheirToolsAreSkipped(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, name := range []string{"Asynq", "machinery", "gocraft/work", "Faktory", "BullMQ"} {
		for _, p := range All() {
			if p.Name != name {
				continue
			}
			s, err := p.Open(t.Context(), t.TempDir(), Everysec)
			if skipped := (Skipped{}); !errors.As(err, &skipped) || !strings.Contains(skipped.Reason, "on the PATH") {
				t.Errorf("%s without a PATH: got system %v, error %v", name, s, err)
			}
		}
	}
}

func TestServerThatDoesNotStartIsSkipped(t *testing.T) {
	t.Parallel()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	open := opener(func(ctx context.Context, h *home, _ Durability) (System, error) {
		p := program{name: "sulk", path: sh, args: []string{"-c", "echo not today; exit 1"}, dir: h.dir, quit: syscall.SIGTERM}
		return nil, h.start(ctx, p, func(context.Context) error { return errors.New("nobody there") })
	})
	_, err = open(t.Context(), t.TempDir(), Off)
	if skipped := (Skipped{}); !errors.As(err, &skipped) || !strings.Contains(skipped.Reason, "not today") {
		t.Errorf("got %v, want a Skipped with what the server said", err)
	}
}

func TestOpenWithAnEndedContextIsNotSkipped(t *testing.T) {
	t.Parallel()
	var near string
	open := opener(func(_ context.Context, h *home, _ Durability) (System, error) {
		near = h.near
		return nil, Skipped{Reason: "it looks like this"}
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := open(ctx, t.TempDir(), Off)
	if skipped := (Skipped{}); errors.As(err, &skipped) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if _, err := os.Stat(near); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder %s is left: %v", near, err)
	}
}
