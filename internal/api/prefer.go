package api

import (
	"context"
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
	settled, stop, err := s.await(c, rec.ID)
	if err != nil {
		return rec, false
	}
	defer stop()
	c.Set(headerApplied, "wait="+strconv.Itoa(int(wait.Seconds())))
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
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), requestTimeout)
	defer cancel()
	return s.Live.Await(ctx, id)
}

// lookAgain reads the record anew. The order is accepted, so a Redis that is away is
// no error here.
func (s *Server) lookAgain(c *fiber.Ctx, rec order.Record) order.Record {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), requestTimeout)
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
		for preference := range strings.SplitSeq(string(values), ",") {
			preference, _, _ = strings.Cut(preference, ";") // its parameters are none of ours
			name, value, _ := strings.Cut(preference, "=")
			if !strings.EqualFold(strings.TrimSpace(name), "wait") {
				continue
			}
			seconds, err := strconv.ParseUint(strings.Trim(value, " \t\""), 10, 31)
			if err != nil {
				return 0
			}
			return min(time.Duration(seconds)*time.Second, maxWait)
		}
	}
	return 0
}
