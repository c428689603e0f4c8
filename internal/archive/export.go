package archive

import (
	"context"

	"orderprocessor/internal/order"
)

// exportPage is how many orders Export holds at once: some megabytes, or 50 MB if all are as
// large as an order may be.
const exportPage = 200

// Export calls yield with every order that matches, in the order of Search, until yield
// returns an error, which Export returns. It reads page after page, so it neither holds all
// orders in memory, nor keeps a connection while yield works, nor stands in the way
// of writes, however long it takes. Orders that are accepted meanwhile are not among
// them; those that change are as they are when their page is read. It ends with the first
// record that cannot be read (order.ErrUnreadable), and returns order.ErrUnavailable.
func (a *Archive) Export(ctx context.Context, f order.Filter, yield func(order.Record) error) error {
	after := order.Position{}
	for {
		records, next, err := a.Search(ctx, f, after, exportPage)
		if err != nil {
			return err
		}
		for _, rec := range records {
			if err := yield(rec); err != nil {
				return err
			}
		}
		if next.IsZero() {
			return nil
		}
		after = next
	}
}
