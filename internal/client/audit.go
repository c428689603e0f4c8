package client

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"orderprocessor/internal/order"
)

// AuditEntry is one line of the audit.
type AuditEntry struct {
	Raw
	ID        string            `json:"id"`
	At        time.Time         `json:"at"`
	Actor     string            `json:"actor"`
	Action    order.AuditAction `json:"action"`
	Target    string            `json:"target"`
	Reason    string            `json:"reason"`
	RequestID string            `json:"request_id"`
}

func (e *AuditEntry) recognised() bool { return e.ID != "" }

// Audit returns a page of the audit, newest first: at most limit entries that match a
// filter, which are query parameters of GET /audit. The next page has the cursor, and there
// is none when it is empty. A page may be empty although there are more.
func (c *Client) Audit(ctx context.Context, filter url.Values, cursor string, limit int) (
	entries []AuditEntry, next string, err error,
) {
	r := get("audit")
	r.query = url.Values{"limit": {strconv.Itoa(min(limit, maxPage))}}
	for name, values := range filter {
		r.query[name] = values
	}
	if cursor != "" {
		r.query.Set("cursor", cursor)
	}
	answer, err := c.sendRepeatedly(ctx, r)
	if err != nil {
		return nil, "", err
	}
	var page struct {
		Entries    []json.RawMessage `json:"entries"`
		NextCursor string            `json:"next_cursor"`
	}
	if json.Unmarshal(answer, &page) != nil || page.Entries == nil || page.NextCursor != "" && page.NextCursor == cursor {
		return nil, "", ErrNotAPI
	}
	entries = make([]AuditEntry, len(page.Entries))
	for i, text := range page.Entries {
		if entries[i], err = decode[AuditEntry](text, nil); err != nil {
			return nil, "", err
		}
	}
	return entries, page.NextCursor, nil
}
