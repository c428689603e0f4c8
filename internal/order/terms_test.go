package order_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

// TestTerms accepts what only some installations accept, there and nowhere else.
func TestTerms(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name                 string
		change               ordertest.Option
		usual, free, nowhere []string
	}{
		{"amount 0", amount("0.00"), []string{"amount out_of_range"}, nil, []string{"amount out_of_range"}},
		{"amount below 0", amount("-0.01"), []string{"amount out_of_range"}, []string{"amount out_of_range"}, []string{"amount out_of_range"}},
		{"far below 0", amount("-1e20"), []string{"amount out_of_range"}, []string{"amount out_of_range"}, []string{"amount out_of_range"}},
		{"no amount", amount(""), []string{"amount required"}, []string{"amount required"}, []string{"amount required"}},
		{"no address", address(""), []string{"address required"}, []string{"address required"}, nil},
		{"address of white space", address(" \n"), []string{"address required"}, []string{"address required"}, nil},
		{"address with a control character", address("a\x00"), []string{"address invalid"}, []string{"address invalid"}, []string{"address invalid"}},
	} {
		free, nowhere := order.DefaultTerms(), order.DefaultTerms()
		free.AllowFree, nowhere.AddressRequired = true, false
		for name, try := range map[string]struct {
			terms order.Terms
			want  []string
		}{"usual": {order.DefaultTerms(), row.usual}, "free": {free, row.free}, "nowhere": {nowhere, row.nowhere}} {
			_, err := try.terms.New(ordertest.Submission(row.change), time.Now())
			if diff := cmp.Diff(try.want, fieldCodes(t, err)); diff != "" {
				t.Errorf("%s on terms %s (-want +got):\n%s", row.name, name, diff)
			}
		}
	}
}
