package api

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/order"
)

const (
	headerPrefer  = "Prefer"
	headerApplied = "Preference-Applied"
)

// awaited returns the order as it is once it has met its outcome, or when the client
// would rather have its answer than wait any longer; ok is false when it does not want
// to wait, or nobody can any more.
func (s *Server) awaited(c *fiber.Ctx, rec order.Record) (now order.Record, ok bool) {
	wait := preferredWait(c)
	if wait == 0 {
		return rec, false
	}
	if now, ok = rec, true; !rec.Status.Settled() {
		now, ok = s.waitFor(c, rec, wait)
	}
	if ok {
		c.Set(headerApplied, "wait="+strconv.Itoa(int(wait.Seconds())))
	}
	return now, ok
}

// waitFor waits for the outcome of an order that had none when it was read.
func (s *Server) waitFor(c *fiber.Ctx, rec order.Record, wait time.Duration) (now order.Record, ok bool) {
	settled, stop, err := s.await(c, rec.ID)
	if err != nil {
		return rec, false
	}
	defer stop()
	ctx, cancel := context.WithTimeout(s.serving, wait)
	defer cancel()
	if now = s.lookAgain(c, rec); now.Status.Settled() {
		return now, true
	}
	select {
	case <-settled:
	case <-ctx.Done():
	}
	return s.lookAgain(c, now), true
}

// await begins to wait for the outcome. The request may have used up its time by now.
func (s *Server) await(c *fiber.Ctx, id string) (settled <-chan struct{}, stop func(), err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), s.requestTimeout)
	defer cancel()
	return s.Live.Await(ctx, id)
}

// lookAgain reads the record anew. The order is accepted, so a Redis that is away is
// no error here.
func (s *Server) lookAgain(c *fiber.Ctx, rec order.Record) order.Record {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), s.requestTimeout)
	defer cancel()
	now, err := s.Records.Get(ctx, rec.ID)
	if err != nil {
		return rec
	}
	return now
}

// preferredWait is how long the client would wait for the outcome, as RFC 7240 lets it
// say, and not longer than maxWait. What cannot be understood is ignored, as it says.
func preferredWait(c *fiber.Ctx) time.Duration {
	for _, values := range c.Request().Header.PeekAll(headerPrefer) {
		for _, preference := range unquotedSplit(string(values)) {
			preference, _, _ = strings.Cut(preference, ";") // its parameters are none of ours
			name, value, _ := strings.Cut(preference, "=")
			if !strings.EqualFold(strings.TrimSpace(name), "wait") {
				continue
			}
			seconds, err := strconv.ParseUint(strings.Trim(value, " \t\""), 10, 64)
			if err != nil && !errors.Is(err, strconv.ErrRange) {
				return 0
			}
			return time.Duration(min(seconds, uint64(maxWait/time.Second))) * time.Second
		}
	}
	return 0
}

// unquotedSplit parts a list at its commas, but for those in quoted strings as RFC 9110
// has them.
func unquotedSplit(list string) []string {
	var all []string
	quoted, from := false, 0
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case c == '\\' && quoted:
			i++ // what it escapes
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			all, from = append(all, list[from:i]), i+1
		}
	}
	return append(all, list[from:])
}
