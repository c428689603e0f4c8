package cli

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
)

// errEndless is a walk that comes by the same place again.
var errEndless = errors.New("the API gave the same cursor twice in a row")

// pages walks over the orders that match a filter.
type pages struct {
	client *Client
	query  url.Values // the filter, and where the walk is
	size   int        // how many orders a page may hold
	ended  bool
}

func newPages(c *Client, filter url.Values) *pages {
	return &pages{client: c, query: filter, size: maxPage}
}

// next returns the orders of the next page, at most so many. There may be none
// although the walk has not ended.
func (p *pages) next(ctx context.Context, most int) ([]json.RawMessage, error) {
	answer, err := p.fetch(ctx, most)
	if err != nil {
		return nil, err
	}
	var page struct {
		Orders     []json.RawMessage `json:"orders"`
		NextCursor string            `json:"next_cursor"`
	}
	if json.Unmarshal(answer, &page) != nil || page.Orders == nil || len(page.Orders) > most {
		return nil, errNotTheAPI
	}
	if page.NextCursor != "" && page.NextCursor == p.query.Get("cursor") {
		return nil, errEndless
	}
	p.query.Set("cursor", page.NextCursor)
	p.ended = page.NextCursor == ""
	return page.Orders, nil
}

// fetch asks for smaller pages once the orders turn out to be long.
func (p *pages) fetch(ctx context.Context, most int) (json.RawMessage, error) {
	for {
		p.query.Set("limit", strconv.Itoa(min(p.size, most)))
		answer, err := p.client.Orders(ctx, p.query)
		if !errors.Is(err, errLongAnswer) || p.size == 1 {
			return answer, err
		}
		p.size = max(1, min(p.size, most)/2)
	}
}
