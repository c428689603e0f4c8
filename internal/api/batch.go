package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/httpserver"
	"orderprocessor/internal/order"
)

// verdict is the answer to one order of a batch.
type verdict struct {
	Line    int      `json:"line"`
	Status  int      `json:"status"`
	ID      string   `json:"id,omitempty"`
	Problem *problem `json:"problem,omitempty"`
}

// submitBatch answers POST /orders/batch.
func (s *Server) submitBatch(c *fiber.Ctx) error {
	media, err := mediaOf(c, mediaNDJSON, fiber.MIMEApplicationJSON)
	if err != nil {
		return err
	}
	key, err := idempotencyKey(c)
	if err != nil {
		return err
	}
	if !s.batches.acquire(callerOf(c), len(s.cfg.Keys) > 0) {
		return &order.BusyError{Reason: order.BusyBatches, RetryAfter: time.Second}
	}
	defer s.batches.release(callerOf(c))
	q := s.quotaOf(c)
	if err := q.prepay(c); err != nil {
		return err
	}
	lines, err := readBatch(c, media)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), batchTimeout)
	defer cancel()
	accepted := s.acceptBatch(ctx, lines, key, q)
	q.setHeader(c)
	return s.answerBatch(c, media, lines, accepted)
}

// answerBatch writes a verdict for each line, in the format of the request.
func (s *Server) answerBatch(c *fiber.Ctx, media string, lines []line, accepted []order.Acceptance) error {
	verdicts := make([][]byte, len(accepted))
	var refused refusals
	for i, a := range accepted {
		v := verdict{Line: lines[i].number, Status: fiber.StatusOK, ID: a.Record.ID}
		switch {
		case a.Err != nil:
			p := describeProblem(c, a.Err).bounded(maxLineProblems)
			v.Status, v.Problem = p.Status, &p
			refused.add(p, a.Err)
		case a.IsNew:
			v.Status = fiber.StatusCreated
		}
		var err error
		if verdicts[i], err = json.Marshal(v); err != nil {
			return err
		}
	}
	s.report(c, refused, len(lines))
	c.Set(fiber.HeaderContentType, media)
	if media == mediaNDJSON {
		return c.Send(append(bytes.Join(verdicts, []byte("\n")), '\n'))
	}
	return c.Send(slices.Concat([]byte("["), bytes.Join(verdicts, []byte(",")), []byte("]")))
}

// refusals summarises the orders of a batch that were not accepted.
type refusals struct {
	count      int
	retryAfter int   // the longest, in seconds
	failed     error // the first error of the service itself
	away       error // the first error of its surroundings
}

func (r *refusals) add(p problem, err error) {
	r.count++
	r.retryAfter = max(r.retryAfter, p.retryAfter)
	switch {
	case p.Status == fiber.StatusInternalServerError && r.failed == nil:
		r.failed = err
	case p.Status > fiber.StatusInternalServerError && (r.away == nil || errors.Is(r.away, errNotTried)):
		r.away = err
	}
}

// report writes the refusals into the header and the log: one line for all of them.
func (s *Server) report(c *fiber.Ctx, r refusals, orders int) {
	if r.failed != nil {
		s.cfg.Log.ErrorContext(c.UserContext(), "orders of a batch failed", "error", r.failed, "request_id", httpserver.RequestID(c))
	}
	if r.away != nil {
		httpserver.SetReason(c, fmt.Sprintf("%d of %d orders were not accepted, the first because: %v", r.count, orders, r.away))
	}
	if r.retryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(r.retryAfter))
	}
}
