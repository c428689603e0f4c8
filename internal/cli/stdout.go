package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
)

// output is the standard output of a command. It remembers the first error, so that
// what writes to it need not look. It is safe for concurrent use.
type output struct {
	to  io.Writer
	mu  sync.Mutex
	err error
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.to.Write(p)
	if o.err == nil {
		o.err = err
	}
	return n, err
}

// verdict is what a command ends with that has returned err. A reader that went away,
// as head does, is no failure: it has seen enough.
func (o *output) verdict(err error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	stopped := o.err != nil && errors.Is(err, o.err)
	switch unread := errors.Is(o.err, syscall.EPIPE) || errors.Is(o.err, io.ErrClosedPipe); {
	case o.err == nil, unread && !stopped, !unread && stopped:
		return err
	case unread:
		return nil
	case err == nil:
		return fmt.Errorf("write the output: %w", o.err)
	default:
		return fmt.Errorf("%w; write the output: %w", err, o.err)
	}
}

// unheeded is an output for what would tell of its errors itself, as cobra does.
type unheeded struct{ to io.Writer }

// Write implements io.Writer. It never fails.
func (u unheeded) Write(p []byte) (int, error) {
	_, _ = u.to.Write(p)
	return len(p), nil
}

// fileOf returns the file behind a standard stream, or nil if there is none.
func fileOf(stream any) *os.File {
	if o, ok := stream.(*output); ok {
		stream = o.to
	}
	f, _ := stream.(*os.File)
	return f
}
