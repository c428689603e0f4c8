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

	"orderprocessor/internal/order"
)

// verdict is what became of one order of a batch.
type verdict struct {
	Line    int      `json:"line"`
	Status  int      `json:"status"`
	ID      string   `json:"id,omitempty"`
	Problem *problem `json:"problem,omitempty"`
}

// errBatchFull is a batch with too many orders.
var errBatchFull = fiber.NewError(fiber.StatusRequestEntityTooLarge,
	fmt.Sprintf("The batch must have at most %d orders.", maxBatchOrders))

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
	if !s.batches.enter(callerOf(c), len(s.cfg.Keys) > 0) {
		return &order.BusyError{Reason: order.BusyBatches, RetryAfter: time.Second}
	}
	defer s.batches.leave(callerOf(c))
	m := s.meterOf(c)
	if err := m.prepay(c); err != nil {
		return err
	}
	lines, err := readBatch(c, media)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), batchTimeout)
	defer cancel()
	taken := s.takeBatch(ctx, lines, key, m)
	m.tell(c)
	return s.answerBatch(c, media, lines, taken)
}

// readBatch returns the orders of the body. Of lines that were cut off it returns
// the complete ones.
func readBatch(c *fiber.Ctx, media string) ([]line, error) {
	body, err := readText(c, maxBatchBytes)
	cutOff := errors.Is(err, errCutOff)
	if err != nil && (!cutOff || media != mediaNDJSON) {
		return nil, err
	}
	var lines []line
	if media == mediaNDJSON {
		lines, err = splitLines(body, cutOff)
	} else {
		lines, err = splitArray(body)
	}
	if err == nil && len(lines) == 0 {
		err = &malformedError{"The batch holds no order."}
	}
	return lines, err
}

// answerBatch writes a verdict for each line, in the form in which they came.
func (s *Server) answerBatch(c *fiber.Ctx, media string, lines []line, taken []order.Acceptance) error {
	verdicts := make([][]byte, len(taken))
	var t tally
	for i, a := range taken {
		v := verdict{Line: lines[i].number, Status: fiber.StatusOK, ID: a.Record.ID}
		switch {
		case a.Err != nil:
			p := describeProblem(c, a.Err).bounded(maxLineProblems)
			v.Status, v.Problem = p.Status, &p
			t.refuse(p, a.Err)
		case a.IsNew:
			v.Status = fiber.StatusCreated
		}
		var err error
		if verdicts[i], err = json.Marshal(v); err != nil {
			return err
		}
	}
	s.tell(c, t, len(lines))
	c.Set(fiber.HeaderContentType, media)
	if media == mediaNDJSON {
		return c.Send(append(bytes.Join(verdicts, []byte("\n")), '\n'))
	}
	return c.Send(slices.Concat([]byte("["), bytes.Join(verdicts, []byte(",")), []byte("]")))
}

// tally is what the orders of a batch that were not accepted come to.
type tally struct {
	refused    int
	retryAfter int   // the longest, in seconds
	failed     error // the first one of our own
	away       error // the first one of the world's
}

func (t *tally) refuse(p problem, err error) {
	t.refused++
	t.retryAfter = max(t.retryAfter, p.retryAfter)
	switch {
	case p.Status == fiber.StatusInternalServerError && t.failed == nil:
		t.failed = err
	case p.Status > fiber.StatusInternalServerError && (t.away == nil || errors.Is(t.away, errNotTried)):
		t.away = err
	}
}

// tell puts the tally into the header and the log, where one cause stands for all.
func (s *Server) tell(c *fiber.Ctx, t tally, orders int) {
	if t.failed != nil {
		s.cfg.Log.ErrorContext(c.UserContext(), "orders of a batch failed", "error", t.failed, "request_id", requestID(c))
	}
	if t.away != nil {
		c.Locals(localError, fmt.Sprintf("%d of %d orders were not accepted, the first because: %v", t.refused, orders, t.away))
	}
	if t.retryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(t.retryAfter))
	}
}
