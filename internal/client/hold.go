package client

import (
	"context"
	"encoding/json"
)

// Release lets a held order be worked, and returns it. The reason may be empty.
func (c *Client) Release(ctx context.Context, id, reason string) (Order, error) {
	return c.changeOrder(ctx, id, "release", reason)
}

// Reject ends a held order, and returns it. The API requires a reason.
func (c *Client) Reject(ctx context.Context, id, reason string) (Order, error) {
	return c.changeOrder(ctx, id, "reject", reason)
}

// changeOrder makes a change that is safe to repeat. The reason may be empty.
func (c *Client) changeOrder(ctx context.Context, id, change, reason string) (Order, error) {
	r := post("orders", id, change)
	if reason != "" {
		r.body, _ = json.Marshal(map[string]string{"reason": reason}) //nolint:errchkjson // a map of strings cannot fail
	}
	return decode[Order](c.sendRepeatedly(ctx, r))
}
