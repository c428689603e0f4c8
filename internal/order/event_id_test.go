package order_test

import (
	"testing"

	"orderprocessor/internal/order"
)

func TestEventID(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"0-0", "1764000000000-0", "1764000000000-17", "18446744073709551615-18446744073709551615"} {
		id, err := order.ParseEventID(text)
		if err != nil || id.String() != text {
			t.Errorf("%s is read as %s, %v", text, id, err)
		}
	}
	wrong := []string{
		"", "-", "1", "1-", "-1", "01-0", "1-00", "+1-0", "1-0 ", "1-0-0", "1-x", "18446744073709551616-0", "1-18446744073709551616", "\x00-1",
	}
	for _, text := range wrong {
		if id, err := order.ParseEventID(text); err == nil {
			t.Errorf("%q is read as %s", text, id)
		}
	}
}

func TestEventIDsCompare(t *testing.T) {
	t.Parallel()
	sorted := []order.EventID{{}, {Number: 1}, {Time: 9}, {Time: 9, Number: 9}, {Time: 9, Number: 10}, {Time: 10}}
	for i, a := range sorted {
		for j, b := range sorted {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := a.Compare(b); got != want {
				t.Errorf("%s compared with %s is %d", a, b, got)
			}
		}
	}
}
