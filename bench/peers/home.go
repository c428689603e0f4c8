package peers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const (
	// startTimeout bounds the wait for a server's first answer; the slowest takes
	// about a second.
	startTimeout = 30 * time.Second
	// startPoll is how often a server that is starting is asked.
	startPoll = 10 * time.Millisecond
	// logTail is how many bytes of a server's log an error quotes when it does not start.
	logTail = 400
)

// home is where one peer keeps its things, and the processes it runs there.
type home struct {
	// dir holds data and logs.
	dir string
	// near holds what needs a short path, a unix socket above all, and what must
	// not lie in dir. It is removed in the end.
	near     string
	children []*child
}

// newHome makes the folders.
func newHome(dir string) (*home, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the folder of a peer: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of a peer: %w", err)
	}
	near, err := os.MkdirTemp("", "peer")
	if err != nil {
		return nil, fmt.Errorf("make the folder of a peer: %w", err)
	}
	return &home{dir: dir, near: near}, nil
}

// start runs a server until the home is closed, and returns when the server
// answers. A server that does not start is Skipped, with what it said.
func (h *home) start(ctx context.Context, p program, answers func(context.Context) error) error {
	c, err := startChild(ctx, p, filepath.Join(h.dir, p.name+".log"))
	if err != nil {
		return Skipped{Reason: fmt.Sprintf("%s does not start: %v", p.name, err)}
	}
	h.children = append(h.children, c)
	return c.await(ctx, answers)
}

// close stops the servers, the newest first, and removes what is temporary. It
// is safe to call twice.
func (h *home) close() error {
	var errs []error
	for len(h.children) > 0 {
		newest := len(h.children) - 1
		errs = append(errs, h.children[newest].stop())
		h.children = h.children[:newest]
	}
	return errors.Join(append(errs, os.RemoveAll(h.near))...)
}

// pids returns the servers' processes, each of which leads a process group.
func (h *home) pids() []int {
	pids := make([]int, 0, len(h.children))
	for _, c := range h.children {
		pids = append(pids, c.cmd.Process.Pid)
	}
	return pids
}
