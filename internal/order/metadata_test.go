package order_test

import (
	"fmt"
	"strings"
	"testing"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

func country(code string) ordertest.Option { return func(s *order.Submission) { s.Country = code } }

func metadata(pairs ...string) ordertest.Option {
	return func(s *order.Submission) {
		s.Metadata = map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			s.Metadata[pairs[i]] = pairs[i+1]
		}
	}
}

func TestNewCountry(t *testing.T) {
	invalid := []string{"country invalid"}
	checkNew(t, []newRow{
		{"absent", country(""), nil},
		{"a country", country("DE"), nil},
		{"lower case", country("de"), invalid},
		{"three letters", country("DEU"), invalid},
		{"a former one", country("YU"), invalid},
		{"white space", country(" "), invalid},
	})
}

func TestNewMetadata(t *testing.T) {
	keys := func(n int) ordertest.Option {
		var pairs []string
		for i := range n {
			pairs = append(pairs, fmt.Sprint("k", i), "v")
		}
		return metadata(pairs...)
	}
	long := strings.Repeat("k", 40)
	checkNew(t, []newRow{
		{"none", metadata(), nil},
		{"every kind of character", metadata("AZaz09_.-", "any, größe 🧺"), nil},
		{"an empty value", metadata("a", ""), nil},
		{"white space", metadata("a", " "), nil},
		{"the longest", metadata(long, strings.Repeat("é", 500)), nil},
		{"50 keys", keys(50), nil},
		{"51 keys", keys(51), []string{"metadata too_many"}},
		{"a long key", metadata(long+"k", ""), []string{"metadata." + long + "… invalid"}},
		{"an empty key", metadata("", ""), []string{"metadata. invalid"}},
		{"a long value", metadata("a", strings.Repeat("x", 501)), []string{"metadata.a too_long"}},
		{"a line break", metadata("a", "1\n2"), []string{"metadata.a invalid"}},
		{"text that changes direction", metadata("a", "1\u202e2"), []string{"metadata.a invalid"}},
		{"two mistakes", metadata("b/c", "", "a", "\x00"), []string{"metadata.a invalid", "metadata.b/c invalid"}},
	})
}
