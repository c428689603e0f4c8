package live

import (
	"context"
	"errors"
	"sync"
	"time"

	"orderprocessor/internal/order"
)

// book is the events of one book, and the waits for outcomes in it.
type book struct {
	hub      *Hub
	number   int
	ledger   Ledger
	readWait time.Duration
	// readers bounds the streams that catch up at the same time.
	readers chan struct{}
	// wanted receives a value when somebody needs a book that is not read.
	wanted chan struct{}

	// The next two belong to the reader.

	checked time.Time // when the position was last found to be kept
	logged  bool      // the log has the reason why events cannot be read

	// The hub's lock guards the rest.

	reading  bool          // the reader has a position
	away     bool          // its last read has failed
	position order.EventID // of the last delivered event
	waits    map[string][]chan struct{}
	waiting  int
}

// Run reads events and delivers them until ctx ends. It reads a book only while there are
// streams, or waits for its orders, because reading costs Redis as much as a script of
// each order. While Redis is unavailable it retries. It may be called once.
func (h *Hub) Run(ctx context.Context) error {
	var running sync.WaitGroup
	for _, b := range h.books {
		running.Go(func() { b.run(ctx) })
	}
	running.Wait()
	return nil
}

func (b *book) run(ctx context.Context) {
	for ctx.Err() == nil {
		if b.idle() {
			select {
			case <-b.wanted:
			case <-ctx.Done():
			}
			continue
		}
		err := b.step(ctx)
		if ctx.Err() != nil {
			return
		}
		b.ended(err)
		if err != nil {
			b.logOnce(ctx, err)
			pause(ctx, b.readWait)
		}
	}
}

// ended records how a read ended.
func (b *book) ended(err error) {
	if err == nil {
		b.logged = false
	}
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	if away := err != nil; away != b.away {
		b.away = away
		b.hub.change()
	}
}

// logOnce logs why events cannot be read, unless Redis is unavailable, which is logged
// elsewhere.
func (b *book) logOnce(ctx context.Context, err error) {
	if b.logged || errors.Is(err, order.ErrUnavailable) {
		return
	}
	attrs := []any{"error", err}
	if len(b.hub.books) > 1 {
		attrs = append(attrs, "book", b.number)
	}
	b.hub.Log.WarnContext(ctx, "events cannot be read", attrs...)
	b.logged = true
}

// idle reports whether nobody needs the events of the book. If so, its position is
// forgotten.
func (b *book) idle() bool {
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	if len(b.hub.streams) > 0 || b.waiting > 0 {
		return false
	}
	b.reading, b.away = false, false
	return true
}

// want makes the reader begin.
func (b *book) want() {
	select {
	case b.wanted <- struct{}{}:
	default:
	}
}

// step reads once and delivers the events.
func (b *book) step(ctx context.Context) error {
	after, known, wait := b.current()
	if !known {
		return b.begin(ctx)
	}
	events, position, err := b.ledger.EventsAfter(ctx, after, hubEntries, wait)
	if err != nil {
		return err
	}
	if len(events) < hubEntries && time.Since(b.checked) < checkAfter*b.readWait {
		b.deliver(b.wrap(events), position)
		return nil
	}
	// Checked after the read, because events may be removed between the two.
	oldest, newest, err := b.ledger.Reach(ctx)
	if err != nil {
		return err
	}
	b.checked = time.Now()
	if kept(after, oldest, newest) {
		b.deliver(b.wrap(events), position)
	} else {
		b.jump(oldest, newest)
	}
	return nil
}

// kept reports whether the ledger has all events after a position, and has had the
// position itself.
func kept(position, oldest, newest order.EventID) bool {
	return position.Compare(oldest) >= 0 && position.Compare(newest) <= 0
}

// current returns the position, whether there is one, and how long the next read may wait
// for events: it does not while the book is away, so that its return is noticed at once.
func (b *book) current() (position order.EventID, known bool, wait time.Duration) {
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	if b.away {
		return b.position, b.reading, time.Millisecond
	}
	return b.position, b.reading, b.readWait
}

// begin sets the position to the newest event.
func (b *book) begin(ctx context.Context) error {
	_, newest, err := b.ledger.Reach(ctx)
	if err != nil {
		return err
	}
	b.checked = time.Now()
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	b.reading, b.away, b.position = true, false, newest
	b.hub.change()
	return nil
}

func (b *book) deliver(events []*Event, position order.EventID) {
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	b.position = position
	for s := range b.hub.streams {
		s.add(b, events)
	}
	for _, e := range events {
		if e.Status.Settled() {
			b.settled(e.OrderID)
		}
	}
}

// jump moves the reader to the newest event, because events were removed before they were
// read, or the ledger was replaced. Streams get a gap, unless they had come further and can
// catch up, and waits end early.
func (b *book) jump(oldest, newest order.EventID) {
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	b.position = newest
	for s := range b.hub.streams {
		switch {
		case !s.live[b.number]:
		case kept(s.position[b.number], oldest, newest):
			s.live[b.number] = false
			s.wake()
		default:
			s.skip(b)
		}
	}
	for id := range b.waits {
		b.settled(id)
	}
}

func (b *book) wrap(events []order.Event) []*Event {
	wrapped := make([]*Event, len(events))
	for i, e := range events {
		id, _ := order.ParseEventID(e.ID) // the ledger returns valid ids only
		wrapped[i] = &Event{Event: e, book: b.number, id: id}
	}
	return wrapped
}

// pause waits, or returns early when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
