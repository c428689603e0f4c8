package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"time"
)

// maxPage is the most orders that the API returns in one page.
const maxPage = 200

// errSameCursor keeps a list from being read for ever.
var errSameCursor = errors.New("the API gave the same cursor twice in a row")

// Pages reads a list of orders page by page, newest first.
type Pages struct {
	client *Client
	query  url.Values // the filter, and the cursor
	size   int        // the most orders to ask for
	done   bool
	asOf   time.Time
	lacks  bool
}

// Orders returns the orders that match a filter: query parameters of GET /orders.
func (c *Client) Orders(filter url.Values) *Pages {
	return &Pages{client: c, query: filter, size: maxPage}
}

// Done reports whether the last page has been read.
func (p *Pages) Done() bool { return p.done }

// AsOf returns up to when the archive had every outcome when the first page was read. It is
// zero for orders that do not come from the archive alone.
func (p *Pages) AsOf() time.Time { return p.asOf }

// Incomplete reports whether a page lacked orders of the archive, which was away.
func (p *Pages) Incomplete() bool { return p.lacks }

// Next returns the orders of the next page, at most limit. A page may be empty
// although there are more.
func (p *Pages) Next(ctx context.Context, limit int) ([]Order, error) {
	answer, err := p.fetch(ctx, limit)
	if err != nil {
		return nil, err
	}
	var page struct {
		Orders     []json.RawMessage `json:"orders"`
		NextCursor string            `json:"next_cursor"`
		AsOf       time.Time         `json:"as_of"`
		Incomplete bool              `json:"incomplete"`
	}
	if json.Unmarshal(answer, &page) != nil || page.Orders == nil || len(page.Orders) > limit {
		return nil, ErrNotAPI
	}
	if page.NextCursor != "" && page.NextCursor == p.query.Get("cursor") {
		return nil, errSameCursor
	}
	p.query.Set("cursor", page.NextCursor)
	p.done = page.NextCursor == ""
	p.lacks = p.lacks || page.Incomplete
	if p.asOf.IsZero() {
		p.asOf = page.AsOf
	}
	orders := make([]Order, len(page.Orders))
	for i, text := range page.Orders {
		if orders[i], err = decode[Order](text, nil); err != nil {
			return nil, err
		}
	}
	return orders, nil
}

// fetch asks for smaller pages when the orders turn out to be long.
func (p *Pages) fetch(ctx context.Context, limit int) (json.RawMessage, error) {
	for {
		p.query.Set("limit", strconv.Itoa(min(p.size, limit)))
		r := get("orders")
		r.query = p.query
		answer, err := p.client.sendRepeatedly(ctx, r)
		if !errors.Is(err, errLongAnswer) || p.size == 1 {
			return answer, err
		}
		p.size = max(1, min(p.size, limit)/2)
	}
}
