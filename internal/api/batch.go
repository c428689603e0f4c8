package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	select {
	case s.batches <- struct{}{}:
		defer func() { <-s.batches }()
	default:
		return &order.BusyError{Reason: "too many batches arrive at once", RetryAfter: time.Second}
	}
	lines, err := readBatch(c, media)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), batchTimeout)
	defer cancel()
	return s.answerBatch(c, media, lines, s.takeBatch(ctx, lines, key))
}

// readBatch returns the orders of the body. Of lines that were cut off it returns
// the complete ones.
func readBatch(c *fiber.Ctx, media string) ([]line, error) {
	body, err := readBody(c, maxBatchBytes)
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
	var answer bytes.Buffer
	open, between, end := "", "\n", "\n"
	if media != mediaNDJSON {
		open, between, end = "[", ",", "]"
	}
	refused, retryAfter := 0, 0
	var failed, away error // the first ones of our own
	for i, a := range taken {
		v := verdict{Line: lines[i].number, Status: fiber.StatusCreated, ID: a.Record.ID}
		switch {
		case a.Err != nil:
			p := describeProblem(c, a.Err).bounded(maxLineProblems)
			v.Status, v.Problem = p.Status, &p
			refused, retryAfter = refused+1, max(retryAfter, p.retryAfter)
			switch {
			case p.Status == fiber.StatusInternalServerError && failed == nil:
				failed = a.Err
			case p.Status > fiber.StatusInternalServerError && (away == nil || errors.Is(away, errNotTried)):
				away = a.Err
			}
		case !a.IsNew:
			v.Status = fiber.StatusOK
		}
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		answer.WriteString(open)
		answer.Write(text)
		open = between
	}
	answer.WriteString(end)
	if failed != nil {
		s.cfg.Log.Error("orders of a batch failed", "error", failed, "request_id", requestID(c))
	}
	if away != nil {
		c.Locals(localError, fmt.Sprintf("%d of %d orders were not accepted, the first because: %v", refused, len(lines), away))
	}
	if retryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(retryAfter))
	}
	c.Set(fiber.HeaderContentType, media)
	return c.Send(answer.Bytes())
}
