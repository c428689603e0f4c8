package cli

import (
	"encoding/json"
	"errors"
	"fmt"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
)

// changed is an order or a queue after its change.
type changed struct {
	state  string
	answer json.RawMessage
}

func changedOrder(o client.Order, err error) (changed, error) {
	return changed{string(o.Status), o.JSON}, err
}

// changeEach changes several orders or queues, one after the other, and shows the
// outcome of each. The kind is "orders" or "queues", and done the participle for
// sentences. It continues after a refusal, and stops at an error that the others would
// meet as well. Errors of the output are reported by Run: the others are changed all
// the same.
func (c *apiCommand) changeEach(kind, done string, names []string, change func(name string) (changed, error)) error {
	width := 0
	for _, name := range names {
		width = max(width, len(name))
	}
	refused := 0
	for i, name := range names {
		now, err := change(name)
		left := len(names) - i - 1
		var refusal *client.ResponseError
		switch {
		case err == nil && c.output == formatJSON:
			_ = c.printJSONLine(now.answer)
		case err == nil:
			c.printf("%-*s   %s\n", width, name, order.Printable(now.state))
		case errors.Is(err, client.ErrNotAPI):
			return fmt.Errorf("%s: %w", name, err)
		case client.Denied(err), client.NoRoom(err):
			return fmt.Errorf("%s was not %s, nor were the %d after it: %w", name, done, left, err)
		case errors.As(err, &refusal) && !client.Temporary(err):
			refused++
			if c.output == formatJSON {
				_, _ = fmt.Fprintf(c.Stderr, "%s: not %s: %s\n", name, done, refusalReason(refusal))
			} else {
				c.printf("%-*s   not %s: %s\n", width, name, done, refusalReason(refusal))
			}
		case left == 0:
			return fmt.Errorf("%s may or may not be %s: %w", name, done, err)
		default:
			return fmt.Errorf("stopped: %s may or may not be %s, and the %d after it were not tried: %w", name, done, left, err)
		}
	}
	if refused > 0 {
		return fmt.Errorf("%d of %d %s were not %s", refused, len(names), kind, done)
	}
	return nil
}

func refusalReason(refusal *client.ResponseError) string {
	if refusal.OrderStatus != "" {
		return "it is " + order.Printable(string(refusal.OrderStatus))
	}
	return refusal.Error()
}
