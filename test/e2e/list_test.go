package e2e_test

import (
	"iter"
	"net/http"
)

// pageView is what the tests read of a page of the list.
type pageView struct {
	Orders     []orderView `json:"orders"`
	NextCursor string      `json:"next_cursor"`
}

// walk follows the list from page to page. The query is that of the first page.
func (s *system) walk(query string) iter.Seq[orderView] {
	s.t.Helper()
	return func(yield func(orderView) bool) {
		for cursor := ""; ; {
			got := s.call("GET", "/orders?limit=200"+query+cursor, "")
			if got.code != http.StatusOK {
				s.t.Fatalf("GET /orders answered %d: %s", got.code, got.body)
			}
			page := decode[pageView](s.t, got.body)
			for _, o := range page.Orders {
				if !yield(o) {
					return
				}
			}
			if page.NextCursor == "" {
				return
			}
			cursor = "&cursor=" + page.NextCursor
		}
	}
}
