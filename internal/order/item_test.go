package order_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

// detailed sets one item, an object with a name.
func detailed(sku, quantity, price string) ordertest.Option {
	return func(s *order.Submission) {
		s.Items = []order.SubmittedItem{{Item: order.Item{Name: "cups", Detailed: true, SKU: sku}, Quantity: quantity, UnitPrice: price}}
	}
}

func TestNewDetailedItem(t *testing.T) {
	sku, quantity, price := "items[0].sku ", "items[0].quantity ", "items[0].unit_price "
	checkNew(t, []newRow{
		{"only a name", detailed("", "", ""), nil},
		{"everything", detailed("c-1", "6", "2.50"), nil},
		{"no name", func(s *order.Submission) { s.Items = []order.SubmittedItem{{Item: order.Item{Detailed: true}}} }, []string{"items[0].name required"}},
		{"the longest number", detailed(strings.Repeat("é", 100), "", ""), nil},
		{"too long a number", detailed(strings.Repeat("x", 101), "", ""), []string{sku + "too_long"}},
		{"a number of white space", detailed(" ", "", ""), []string{sku + "required"}},
		{"a number of two lines", detailed("a\nb", "", ""), []string{sku + "invalid"}},
		{"quantity 1", detailed("", "1", ""), nil},
		{"quantity 1000000", detailed("", "1000000", ""), nil},
		{"quantity 1000001", detailed("", "1000001", ""), []string{quantity + "out_of_range"}},
		{"quantity 0", detailed("", "0", ""), []string{quantity + "out_of_range"}},
		{"quantity -1", detailed("", "-1", ""), []string{quantity + "out_of_range"}},
		{"quantity beyond int64", detailed("", "99999999999999999999", ""), []string{quantity + "out_of_range"}},
		{"quantity 1.0", detailed("", "1.0", ""), []string{quantity + "invalid"}},
		{"quantity 1e3", detailed("", "1e3", ""), []string{quantity + "invalid"}},
		{"price 0", detailed("", "", "0"), nil},
		{"price below 0", detailed("", "", "-0.01"), []string{price + "out_of_range"}},
		{"price too large", detailed("", "", "1e12"), []string{price + "out_of_range"}},
		{"price of three decimals", detailed("", "", "0.001"), []string{price + "too_precise"}},
	})
}

// TestPriceHasTheDecimalsOfTheCurrency holds that a price is one of the order's amounts.
func TestPriceHasTheDecimalsOfTheCurrency(t *testing.T) {
	t.Parallel()
	o := ordertest.Order(t, ordertest.WithCurrency("KWD"), detailed("", "", "0.5"))
	if got := *o.Items[0].UnitPrice; got != (order.Money{Minor: 500, Decimals: 3}) {
		t.Errorf("the price is %+v", got)
	}
}

// TestItemJSON shows an item as it was sent.
func TestItemJSON(t *testing.T) {
	t.Parallel()
	price := order.Cents(0)
	for want, item := range map[string]order.Item{
		`"tea"`:                         {Name: "tea"},
		`"a \"b\" \\ c"`:                {Name: `a "b" \ c`},
		`"\u003ctea\u003e \u0026 milk"`: {Name: "<tea> & milk"},
		`{"name":"tea"}`:                {Name: "tea", Detailed: true},
		`{"name":"tea","quantity":1}`:   {Name: "tea", Detailed: true, Quantity: 1},
		`{"name":"tea","sku":"t-1"}`:    {Name: "tea", Detailed: true, SKU: "t-1"},
		`{"name":"","unit_price":0.00}`: {Detailed: true, UnitPrice: &price},
	} {
		text, err := json.Marshal(item)
		if err != nil || string(text) != want {
			t.Errorf("%+v is %s, %v, want %s", item, text, err, want)
		}
		back := order.Item{SKU: "old"}
		if err := json.Unmarshal(text, &back); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(item, back); diff != "" {
			t.Errorf("%s read back (-want +got):\n%s", text, diff)
		}
	}
	for _, text := range []string{"1", "[]", `{"name":1}`, `{"quantity":1.5}`} {
		var item order.Item
		if err := json.Unmarshal([]byte(text), &item); err == nil {
			t.Errorf("%s is read as %+v", text, item)
		}
	}
}
