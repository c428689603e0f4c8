package order_test

import (
	"testing"
	"time"

	"github.com/bojanz/currency"
	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

// TestCurrenciesAreThoseOfISO compares the table, code by code, with a library that is
// kept up to date.
func TestCurrenciesAreThoseOfISO(t *testing.T) {
	t.Parallel()
	for _, code := range triples() {
		decimals, valid := currency.GetDigits(code)
		if !valid {
			decimals = 2
		}
		if c := order.Currency(code); c.Valid() != valid || c.Decimals() != int(decimals) {
			t.Errorf("%s: valid %t with %d decimals, want %t with %d", code, c.Valid(), c.Decimals(), valid, decimals)
		}
	}
	for _, text := range []order.Currency{"", "usd", "US", "USDX", "D E", " US", "SD ", "UＳD", "123"} {
		if text.Valid() {
			t.Errorf("%q is valid", text)
		}
	}
}

// triples returns every text of three capital letters.
func triples() []string {
	var all []string
	for n := range 26 * 26 * 26 {
		all = append(all, string([]byte{'A' + byte(n/676), 'A' + byte(n/26%26), 'A' + byte(n%26)}))
	}
	return all
}

func TestNewCurrency(t *testing.T) {
	t.Parallel()
	const kuwait, yen = order.Currency("KWD"), order.Currency("JPY")
	many := order.Terms{Currency: "USD", Currencies: []order.Currency{"USD", yen, kuwait}}
	tooPrecise, refused := []string{"amount too_precise"}, []string{"currency invalid"}
	for _, row := range []struct {
		name             string
		terms            order.Terms
		amount, currency string
		want             []string
	}{
		{"the default, unsaid", many, "12.50", "", nil},
		{"the default", many, "12.50", "USD", nil},
		{"three decimals of two", many, "12.505", "USD", tooPrecise},
		{"no decimals", many, "1250", "JPY", nil},
		{"zeros for no decimals", many, "1250.00", "JPY", nil},
		{"one decimal of none", many, "12.5", "JPY", tooPrecise},
		{"three decimals", many, "12.505", "KWD", nil},
		{"four decimals of three", many, "12.5055", "KWD", tooPrecise},
		{"smallest of three decimals", many, "0.001", "KWD", nil},
		{"largest of no decimals", many, "999999999999", "JPY", nil},
		{"above it", many, "1000000000000", "JPY", []string{"amount out_of_range"}},
		{"largest of three decimals", many, "999999999999.990", "KWD", nil},
		{"above it by one", many, "999999999999.991", "KWD", []string{"amount out_of_range"}},
		{"not accepted here", many, "1", "EUR", refused},
		{"lower case", many, "1", "usd", refused},
		{"not in ISO 4217", many, "1", "XYZ", refused},
		{"white space", many, "1", " ", refused},
		{"two mistakes", many, "0.5", "ISK", []string{"amount too_precise", "currency invalid"}},
		{"another default", order.Terms{Currency: yen, Currencies: []order.Currency{yen}}, "12.5", "", tooPrecise},
		{"the default is not accepted", order.Terms{Currency: "USD", Currencies: []order.Currency{yen}}, "12", "", refused},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := ordertest.Submission(amount(row.amount))
			s.Currency = row.currency
			got, err := row.terms.New(s, time.Now())
			if diff := cmp.Diff(row.want, fieldCodes(t, err)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if err == nil && string(got.Currency) != row.currency {
				t.Errorf("the currency is %q, not as it was sent", got.Currency)
			}
		})
	}
}
