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

// awaitOutcome waits for the outcome of an order if the client prefers that, and returns
// the order as it is then. ok is false when the client does not want to wait, or no more
// clients may.
func (s *Server) awaitOutcome(c *fiber.Ctx, rec order.Record) (now order.Record, ok bool) {
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
	joining, cancel := s.freshContext(c)
	defer cancel()
	settled, stop, err := s.Live.Await(joining, rec.ID)
	if err != nil {
		return rec, false
	}
	defer stop()
	ctx, cancel := context.WithTimeout(s.http.Serving(), wait)
	defer cancel()
	if now = s.reread(c, rec); now.Status.Settled() {
		return now, true
	}
	select {
	case <-settled:
	case <-ctx.Done():
	}
	return s.reread(c, now), true
}

// reread returns the record as it is now, or as it was if Redis is unavailable: the order
// is accepted, so that is not an error here.
func (s *Server) reread(c *fiber.Ctx, rec order.Record) order.Record {
	ctx, cancel := s.freshContext(c)
	defer cancel()
	now, err := s.Records.Get(ctx, rec.ID)
	if err != nil {
		return rec
	}
	return now
}

// freshContext returns a context with a time of its own: the request may have used up the
// time that it had.
func (s *Server) freshContext(c *fiber.Ctx) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(c.UserContext()), s.requestTimeout)
}

// preferredWait returns how long the client would wait for the outcome (RFC 7240), at most
// maxWait. Preferences that cannot be understood are ignored, as the RFC demands.
func preferredWait(c *fiber.Ctx) time.Duration {
	for _, values := range c.Request().Header.PeekAll(headerPrefer) {
		for _, preference := range splitUnquoted(string(values)) {
			preference, _, _ = strings.Cut(preference, ";") // without its parameters
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

// splitUnquoted splits a list at its commas, except those in quoted strings (RFC 9110).
func splitUnquoted(list string) []string {
	var all []string
	quoted, from := false, 0
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case c == '\\' && quoted:
			i++ // skips what it escapes
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			all, from = append(all, list[from:i]), i+1
		}
	}
	return append(all, list[from:])
}
