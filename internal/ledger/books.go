package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

// Fix records how many books there are, at the first call of all programs, and compares
// afterwards. It returns a *BooksError when there are others than this ledger has: it must
// not be used then, as it would look for orders where they are not. Fix may be repeated, and
// returns order.ErrUnavailable when Redis did not answer.
func (l *Ledger) Fix(ctx context.Context) error {
	keys := &l.first().keys
	there, err := fixScript.Run(ctx, l.rdb, []string{keys.number, keys.counters}, len(l.books)).Int()
	if err != nil {
		return wrap(err, "compare the number of books")
	}
	if there != len(l.books) {
		return &BooksError{Configured: len(l.books), There: there}
	}
	return nil
}

// Count returns how many books Fix has recorded in a Redis, 0 if it has recorded none. It
// returns order.ErrUnavailable when Redis did not answer.
func Count(ctx context.Context, rdb redis.UniversalClient) (int, error) {
	first := newKeys(0)
	n, err := rdb.Get(ctx, first.number).Int()
	if errors.Is(err, redis.Nil) {
		return 0, nil
	}
	return n, wrap(err, "read the number of books")
}

// BooksError means that there are not as many books as are configured.
type BooksError struct{ Configured, There int }

// Error implements error.
func (e *BooksError) Error() string {
	return fmt.Sprintf("ORDERS_BOOKS is %d, and this Redis has orders in %d: the number of books never changes", e.Configured, e.There)
}

// each calls a function for all books at once, and returns the answers by number with the
// errors of all. It calls it directly if there is one book.
func each[T any](books []*Book, do func(*Book) (T, error)) ([]T, error) {
	answers, errs := make([]T, len(books)), make([]error, len(books))
	if len(books) == 1 {
		answers[0], errs[0] = do(books[0])
		return answers, errs[0]
	}
	var running sync.WaitGroup
	for n, b := range books {
		running.Go(func() { answers[n], errs[n] = do(b) })
	}
	running.Wait()
	return answers, errors.Join(errs...)
}

// pageOf reads a page of each book and merges them into one page of the list: at most limit
// entries, and the position to continue after. A page of a book is complete up to where it
// ends. Entries that cannot be read are an error beside the others.
func pageOf[T any](
	books []*Book, limit int, read func(*Book) ([]T, order.Position, error), position func(T) order.Position,
) (merged []T, next order.Position, err error) {
	if len(books) == 1 {
		return read(books[0])
	}
	type page struct {
		entries []T
		next    order.Position
	}
	pages, err := each(books, func(b *Book) (p page, err error) {
		p.entries, p.next, err = read(b)
		return p, err
	})
	if err != nil && (!errors.Is(err, order.ErrUnreadable) || errors.Is(err, order.ErrUnavailable)) {
		return nil, order.Position{}, err
	}
	for _, p := range pages {
		merged = append(merged, p.entries...)
		next = order.FirstOf(next, p.next)
	}
	slices.SortFunc(merged, func(a, b T) int { return position(a).Compare(position(b)) })
	if !next.IsZero() {
		merged = slices.DeleteFunc(merged, func(entry T) bool { return position(entry).Compare(next) > 0 })
	}
	if len(merged) > limit {
		merged = merged[:limit]
		next = position(merged[limit-1])
	}
	return merged, next, err
}
