package client

import (
	"context"
	"net/url"
	"time"

	"orderprocessor/internal/order"
)

// Failures are the groups of alike failures, the largest first.
type Failures struct {
	Raw
	Groups []FailureGroup `json:"groups"`
	// AsOf is up to when the archive had every outcome; zero without one.
	AsOf time.Time `json:"as_of"`
	// Incomplete means that there are more, as the archive is away.
	Incomplete bool `json:"incomplete"`
}

func (f *Failures) recognised() bool { return f.Groups != nil }

// FailureGroup is all failed orders whose errors are alike.
type FailureGroup struct {
	Fingerprint string      `json:"fingerprint"`
	Error       string      `json:"error"`
	Note        string      `json:"note"`
	Orders      int         `json:"orders"`
	FirstSeen   time.Time   `json:"first_seen"`
	LastSeen    time.Time   `json:"last_seen"`
	Queue       order.Queue `json:"queue"`
	ExampleIDs  []string    `json:"example_ids"`
}

// Failures groups the failed orders. The query is that of GET /failures.
func (c *Client) Failures(ctx context.Context, query url.Values) (Failures, error) {
	r := get("failures")
	r.query = query
	return decode[Failures](c.sendRepeatedly(ctx, r))
}
