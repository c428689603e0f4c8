package order_test

import (
	"slices"
	"testing"

	"golang.org/x/text/language"

	"orderprocessor/internal/order"
)

// TestCountriesAreThoseOfISO compares the table, code by code, with a library, which also
// has former codes.
func TestCountriesAreThoseOfISO(t *testing.T) {
	t.Parallel()
	former := []string{"AN", "CS", "NT", "SU", "YU"}
	const kosovo = "XK" // for private use in ISO 3166-1
	for n := range 26 * 26 {
		code := string([]byte{'A' + byte(n/26), 'A' + byte(n%26)})
		r, err := language.ParseRegion(code)
		want := err == nil && r.IsCountry() && r.M49() != 0 && r.Canonicalize() == r && r.String() == code &&
			!slices.Contains(former, code) && code != kosovo
		if got := order.Country(code).Valid(); got != want {
			t.Errorf("%s is valid: %t, want %t", code, got, want)
		}
	}
	for _, text := range []order.Country{"", "de", "D", "DEU", "E ", " A", "49"} {
		if text.Valid() {
			t.Errorf("%q is valid", text)
		}
	}
}
