package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"orderprocessor/internal/order"
)

// each changes several orders or queues, one after the other, and tells what
// came of each.
type each struct {
	*World
	output format
	// kind is what they are, and change what is to become of them, for
	// sentences.
	kind, change string
	// do changes the one with the name, and now says what it is afterwards.
	do  func(ctx context.Context, name string) (json.RawMessage, error)
	now func(answer json.RawMessage) (string, error)
}

// run goes on after a refusal, and stops at what the others would meet as well.
func (e *each) run(ctx context.Context, names []string) error {
	width := 0
	for _, name := range names {
		width = max(width, len(name))
	}
	refused := 0
	for i, name := range names {
		answer, err := e.do(ctx, name)
		var refusal *AnswerError
		switch {
		case err == nil:
			if err := e.show(width, name, answer); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		case barred(err), noRoom(err):
			return fmt.Errorf("%s was not %s, nor were %d behind it: %w", name, e.change, len(names)-i-1, err)
		case errors.As(err, &refusal) && !passing(err):
			refused++
			e.tell(width, name, refusal)
		default:
			return e.stopped(name, len(names)-i-1, err)
		}
	}
	if refused > 0 {
		return fmt.Errorf("%d of %d %s were not %s", refused, len(names), e.kind, e.change)
	}
	return nil
}

func (e *each) show(width int, name string, answer json.RawMessage) error {
	now, err := e.now(answer)
	switch {
	case err != nil:
		return err
	case e.output == formatJSON:
		_ = e.printLine(answer) // it is JSON, and standard output remembers; the others are changed nevertheless
		return nil
	}
	e.printf("%-*s   %s\n", width, name, order.Printable(now))
	return nil
}

// tell says why one was not changed: in the table, or apart from the JSON.
func (e *each) tell(width int, name string, refusal *AnswerError) {
	reason := refusal.Error()
	if refusal.OrderStatus != "" {
		reason = "it is " + order.Printable(string(refusal.OrderStatus))
	}
	if e.output == formatJSON {
		_, _ = fmt.Fprintf(e.Stderr, "%s: not %s: %s\n", name, e.change, reason)
		return
	}
	e.printf("%-*s   not %s: %s\n", width, name, e.change, reason)
}

// stopped says of the name that its change is unknown, and of so many that they
// were not tried.
func (e *each) stopped(name string, left int, err error) error {
	if left == 0 {
		return fmt.Errorf("%s may or may not be %s: %w", name, e.change, err)
	}
	return fmt.Errorf("stopped: %s may or may not be %s, and %d behind it were not tried: %w", name, e.change, left, err)
}

// statusOf is what an order is, for each.
func statusOf(answer json.RawMessage) (string, error) {
	var v orderView
	if json.Unmarshal(answer, &v) != nil || v.ID == "" {
		return "", errNotTheAPI
	}
	return string(v.Status), nil
}
