package cli

import (
	"context"
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
// outcome of each.
type changeEach struct {
	*World
	output format
	// kind is "orders" or "queues", and done the participle for sentences.
	kind, done string
	change     func(ctx context.Context, name string) (changed, error)
}

// run continues after a refusal, and stops at an error that the others would meet
// as well.
func (c *changeEach) run(ctx context.Context, names []string) error {
	width := 0
	for _, name := range names {
		width = max(width, len(name))
	}
	refused := 0
	for i, name := range names {
		now, err := c.change(ctx, name)
		left := len(names) - i - 1
		var refusal *client.ResponseError
		switch {
		case err == nil:
			c.show(width, name, now)
		case errors.Is(err, client.ErrNotAPI):
			return fmt.Errorf("%s: %w", name, err)
		case client.Denied(err), client.NoRoom(err):
			return fmt.Errorf("%s was not %s, nor were the %d after it: %w", name, c.done, left, err)
		case errors.As(err, &refusal) && !client.Temporary(err):
			refused++
			c.showRefusal(width, name, refusal)
		case left == 0:
			return fmt.Errorf("%s may or may not be %s: %w", name, c.done, err)
		default:
			return fmt.Errorf("stopped: %s may or may not be %s, and the %d after it were not tried: %w", name, c.done, left, err)
		}
	}
	if refused > 0 {
		return fmt.Errorf("%d of %d %s were not %s", refused, len(names), c.kind, c.done)
	}
	return nil
}

// show ignores errors of the output, which Run reports: the others are changed all
// the same.
func (c *changeEach) show(width int, name string, now changed) {
	if c.output == formatJSON {
		_ = c.printJSONLine(now.answer)
		return
	}
	c.printf("%-*s   %s\n", width, name, order.Printable(now.state))
}

// showRefusal writes why one was not changed: in the table, or on standard error
// next to JSON.
func (c *changeEach) showRefusal(width int, name string, refusal *client.ResponseError) {
	reason := refusal.Error()
	if refusal.OrderStatus != "" {
		reason = "it is " + order.Printable(string(refusal.OrderStatus))
	}
	if c.output == formatJSON {
		_, _ = fmt.Fprintf(c.Stderr, "%s: not %s: %s\n", name, c.done, reason)
		return
	}
	c.printf("%-*s   not %s: %s\n", width, name, c.done, reason)
}
