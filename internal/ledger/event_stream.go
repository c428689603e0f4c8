package ledger

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

const (
	// readGrace is how long Redis may take to answer that there is nothing new.
	readGrace = time.Second
	// fieldLines is the field of an entry that holds its events, a line for each.
	fieldLines = "e"
	// lineParts is how many parts a line has, without the actor; see scripts/prelude.lua.
	lineParts = 8
)

// EventsAfter returns the events of all orders that followed the one with this id,
// oldest first, and the id to continue after. It reads at most so many entries, each of
// up to ten events of about 150 bytes. When there is no event, it waits for one up to
// the time given, and then returns none; below a millisecond it does not wait. Events
// expire: see Reach. It returns order.ErrUnavailable when Redis did not answer.
func (b *Book) EventsAfter(ctx context.Context, after order.EventID, maxEntries int, wait time.Duration) (
	events []order.Event, last order.EventID, err error,
) {
	ctx, cancel := context.WithTimeout(ctx, wait+readGrace)
	defer cancel()
	args := &redis.XReadArgs{Streams: []string{b.keys.events}, ID: after.String(), Count: int64(maxEntries), Block: -1}
	if wait >= time.Millisecond {
		args.Block = wait
	}
	streams, err := b.rdb.XRead(ctx, args).Result()
	switch {
	case errors.Is(err, redis.Nil):
		return nil, after, nil
	case err != nil:
		return nil, after, wrap(err, "read events after %s", after)
	}
	for _, entry := range streams[0].Messages {
		events = append(events, parseEntry(entry, after)...)
		last = entryID(entry)
	}
	return events, last, nil
}

// parseEntry reads the events of an entry that followed the one with this id. Entries
// of other versions hold none.
func parseEntry(entry redis.XMessage, after order.EventID) []order.Event {
	text, _ := entry.Values[fieldLines].(string)
	var events []order.Event
	for line := range strings.SplitSeq(text, "\n") {
		part := strings.Split(line, "\t")
		if len(part) < lineParts {
			continue
		}
		part = append(part, "") // most events have no actor
		if id, err := order.ParseEventID(part[0]); err != nil || id.Compare(after) <= 0 {
			continue
		}
		sequence, _ := strconv.Atoi(part[2])
		attempt, _ := strconv.Atoi(part[5])
		events = append(events, order.Event{
			ID: part[0], OrderID: part[1], Sequence: sequence, Status: order.Status(part[3]), At: parseTime(part[4]),
			Attempt: attempt, Worker: part[6], Reason: part[7], Actor: part[8],
		})
	}
	return events
}

// Reach returns which events are kept: all after oldest, up to newest. Both are zero
// when there has never been an event. Redis before 7 does not report whether events
// have expired: its first event counts as oldest then, so a reader from the start meets
// a gap. Reach returns order.ErrUnavailable when Redis did not answer.
func (b *Book) Reach(ctx context.Context) (oldest, newest order.EventID, err error) {
	info, err := b.rdb.XInfoStream(ctx, b.keys.events).Result()
	switch {
	case err != nil && strings.Contains(err.Error(), "no such key"):
		return oldest, newest, nil
	case err != nil:
		return oldest, newest, wrap(err, "read which events are kept")
	}
	if newest, err = order.ParseEventID(info.LastGeneratedID); err != nil {
		return oldest, newest, fmt.Errorf("read which events are kept: %w", err)
	}
	// Redis counts what was ever added from version 7 on.
	if info.Length == info.EntriesAdded {
		return order.EventID{}, newest, nil
	}
	if info.Length == 0 {
		return newest, newest, nil
	}
	return firstOf(info.FirstEntry), newest, nil
}

// firstOf returns the id of an entry's first event. The event before it may have
// expired.
func firstOf(entry redis.XMessage) order.EventID {
	events := parseEntry(entry, order.EventID{})
	if len(events) == 0 {
		return entryID(entry)
	}
	id, _ := order.ParseEventID(events[0].ID) // parseEntry has parsed it
	return id
}

// entryID returns the id of an entry, which is the id of its last event.
func entryID(entry redis.XMessage) order.EventID {
	id, _ := order.ParseEventID(entry.ID) // Redis writes valid ids
	return id
}
