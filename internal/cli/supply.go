package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// countTimeout bounds how long the rest of a file is read for its number of orders
// when no more are sent: some hundred megabytes, and not the end of a pipe that stays
// open.
const countTimeout = time.Second

// supply hands on the orders of a file, and counts those that nobody wants any more.
type supply struct {
	orders chan entry    // closed after the last one
	ended  chan struct{} // closed when the file was read as far as it can be

	mu     sync.Mutex
	unsent unsent
	err    error // why it cannot be read further
}

// unsent is the part of a file that was not sent: its end.
type unsent struct {
	orders int
	line   int  // where it begins
	open   bool // there may be more than was counted
}

func newSupply() *supply {
	return &supply{orders: make(chan entry), ended: make(chan struct{})}
}

// run reads the file to its end. The orders after the end of ctx are only counted.
func (s *supply) run(ctx context.Context, file io.Reader) {
	defer close(s.orders)
	defer close(s.ended)
	from, err := newEntries(file)
	for err == nil {
		var e entry
		if e, err = from.next(); err == nil {
			s.hand(ctx, e)
		}
	}
	if errors.Is(err, io.EOF) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = fmt.Errorf("read the orders: %w", err)
}

func (s *supply) hand(ctx context.Context, e entry) {
	if ctx.Err() == nil {
		select {
		case s.orders <- e:
			return
		case <-ctx.Done():
		}
	}
	s.keep(e)
}

// keep counts an order that was not sent.
func (s *supply) keep(e entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unsent.orders == 0 || e.line < s.unsent.line {
		s.unsent.line = e.line
	}
	s.unsent.orders++
}

// rest returns what was not sent, and why the file could not be read to its end. Call
// it when nobody takes orders any more.
func (s *supply) rest() (unsent, error) {
	open := false
	timer := time.NewTimer(countTimeout)
	defer timer.Stop()
	select {
	case <-s.ended:
	case <-timer.C:
		open = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := s.unsent
	rest.open = open || s.err != nil
	return rest, s.err
}
