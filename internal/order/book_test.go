package order_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/google/uuid"

	"orderprocessor/internal/order"
)

// TestBookOf spreads ids of several forms evenly.
func TestBookOf(t *testing.T) {
	t.Parallel()
	forms := map[string]func(n int) string{
		"counted":   strconv.Itoa,
		"padded":    func(n int) string { return fmt.Sprintf("order-%08d", n) },
		"uuid":      func(int) string { return uuid.Must(uuid.NewV7()).String() },
		"with tail": func(n int) string { return fmt.Sprintf("%d/shop-eu-west", n) },
	}
	const orders = 64_000
	for name, form := range forms {
		for _, books := range []int{1, 2, 3, 8, 16, 64} {
			counts := make([]int, books)
			for n := range orders {
				counts[order.BookOf(form(n), books)]++
			}
			for b, n := range counts {
				if mean := orders / books; n < mean*85/100 || n > mean*115/100 {
					t.Errorf("%s: book %d of %d has %d orders, the mean is %d", name, b, books, n, mean)
				}
			}
		}
	}
	if got := order.BookOf("order-1", 16); got != fixedBook {
		t.Errorf("order-1 is in book %d now, and was in %d", got, fixedBook)
	}
}

// fixedBook is where order-1 is among sixteen books, for ever.
const fixedBook = 4
