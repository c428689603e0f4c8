package order_test

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

// The ledger keeps fingerprints, so they must not change between versions: the
// first is of a version that knew no process_at.
func TestFingerprintIsStable(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ at, want string }{
		{"", "uzfutkdKLhHrlbtCpEvQdg"},
		{"2001-09-09T01:46:40.123456Z", "yEVVEKgEJ7WIaWVYDEsq6w"},
		{"2001-09-09T05:46:40.123456999+04:00", "yEVVEKgEJ7WIaWVYDEsq6w"},
	} {
		o := ordertest.Order(t, items("ab", "c"), customer("Ada"), address("Road"), notes("é"), processAt(row.at))
		if got := o.Fingerprint(); got != row.want {
			t.Errorf("process_at %q: fingerprint %q, want %q", row.at, got, row.want)
		}
	}
}

func TestFingerprintForm(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[A-Za-z0-9_-]{22}$`)
	rapid.Check(t, func(t *rapid.T) {
		if f := drawOrder(t, "order").Fingerprint(); !form.MatchString(f) {
			t.Fatalf("fingerprint %q", f)
		}
	})
}

// drawOrder draws from so few contents that two of them are often equal, and
// often differ only in where one text ends and the next begins.
func drawOrder(t *rapid.T, label string) order.Order {
	text := rapid.StringOfN(rapid.RuneFrom([]rune("ab\x00")), 0, 2, -1)
	return rapid.Custom(func(t *rapid.T) order.Order {
		return order.Order{
			ID: rapid.String().Draw(t, "id"),
			Content: order.Content{
				Amount:   order.Money{Minor: rapid.Int64Range(0, 2).Draw(t, "amount"), Decimals: rapid.IntRange(0, 3).Draw(t, "decimals")},
				Currency: rapid.SampledFrom([]order.Currency{"", "EUR", "USD"}).Draw(t, "currency"),
				Items:    rapid.SliceOfN(drawItem(text), 0, 2).Draw(t, "items"),
				Customer: text.Draw(t, "customer"),
				Address:  text.Draw(t, "address"),
				Priority: order.Priority(rapid.IntRange(0, 2).Draw(t, "priority")),
				Country:  rapid.SampledFrom([]order.Country{"", "DE"}).Draw(t, "country"),
				Notes:    text.Draw(t, "notes"),
				Metadata: drawMetadata(t, text),
				ProcessAt: rapid.SampledFrom([]time.Time{
					{}, time.UnixMicro(0).UTC(), time.UnixMicro(1).UTC(),
				}).Draw(t, "process_at"),
			},
		}
	}).Draw(t, label)
}

func drawItem(text *rapid.Generator[string]) *rapid.Generator[order.Item] {
	return rapid.Custom(func(t *rapid.T) order.Item {
		item := order.Item{Name: text.Draw(t, "name"), Detailed: rapid.Bool().Draw(t, "detailed")}
		if !item.Detailed {
			return item
		}
		item.SKU, item.Quantity = text.Draw(t, "sku"), rapid.IntRange(0, 2).Draw(t, "quantity")
		if rapid.Bool().Draw(t, "priced") {
			price := order.Cents(rapid.Int64Range(0, 1).Draw(t, "price"))
			item.UnitPrice = &price
		}
		return item
	})
}

func drawMetadata(t *rapid.T, text *rapid.Generator[string]) map[string]string {
	if rapid.Bool().Draw(t, "no metadata") {
		return nil
	}
	return rapid.MapOfN(text, text, 0, 2).Draw(t, "metadata")
}

func sameContent(a, b order.Order) bool {
	a.ID = b.ID
	return cmp.Equal(a, b)
}

func TestFingerprintsAreEqualForEqualContentOnly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawOrder(t, "a"), drawOrder(t, "b")
		if same := sameContent(a, b); (a.Fingerprint() == b.Fingerprint()) != same {
			t.Fatalf("same content: %t, fingerprints %s and %s", same, a.Fingerprint(), b.Fingerprint())
		}
	})
}

func TestFingerprintLeavesTheIDOut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := drawOrder(t, "order")
		b := a
		b.ID = rapid.String().Draw(t, "other id")
		if a.Fingerprint() != b.Fingerprint() {
			t.Fatal("another id gives another fingerprint")
		}
	})
}

func TestFingerprintSeesEveryField(t *testing.T) {
	t.Parallel()
	changes := map[string]func(*order.Order, string){
		"amount":   func(o *order.Order, _ string) { o.Amount.Minor++ },
		"decimals": func(o *order.Order, _ string) { o.Amount.Decimals++ },
		"currency": func(o *order.Order, s string) { o.Currency += order.Currency(s) },
		"country":  func(o *order.Order, s string) { o.Country += order.Country(s) },
		"metadata": func(o *order.Order, s string) {
			o.Metadata = maps.Clone(o.Metadata)
			if o.Metadata == nil {
				o.Metadata = map[string]string{}
				return
			}
			o.Metadata["a"] += s
		},
		"priority":   func(o *order.Order, _ string) { o.Priority++ },
		"customer":   func(o *order.Order, s string) { o.Customer += s },
		"address":    func(o *order.Order, s string) { o.Address += s },
		"notes":      func(o *order.Order, s string) { o.Notes += s },
		"more items": func(o *order.Order, s string) { o.Items = append(slices.Clone(o.Items), order.Item{Name: s}) },
		"process_at": func(o *order.Order, _ string) { o.ProcessAt = o.ProcessAt.Add(time.Microsecond) },
		"one item":   func(o *order.Order, s string) { o.Items = slices.Clone(o.Items); o.Items[0].Name += s },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				a := drawOrder(t, "order")
				a.Items = append(a.Items, order.Item{Name: "first"})
				b := a
				change(&b, rapid.StringN(1, 8, -1).Draw(t, "more"))
				if a.Fingerprint() == b.Fingerprint() {
					t.Fatalf("equal fingerprints of %+v and %+v", a, b)
				}
			})
		})
	}
}

func TestFingerprintSeesBoundaries(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		a, b order.Order
	}{
		{"between items", order.Order{Content: order.Content{Items: order.Names("ab", "c")}}, order.Order{Content: order.Content{Items: order.Names("a", "bc")}}},
		{"joined items", order.Order{Content: order.Content{Items: order.Names("a", "b")}}, order.Order{Content: order.Content{Items: order.Names("ab")}}},
		{"order of items", order.Order{Content: order.Content{Items: order.Names("a", "b")}}, order.Order{Content: order.Content{Items: order.Names("b", "a")}}},
		{"empty item", order.Order{Content: order.Content{Items: order.Names("")}}, order.Order{}},
		{"customer and address", order.Order{Content: order.Content{Customer: "ab", Address: "c"}}, order.Order{Content: order.Content{Customer: "a", Address: "bc"}}},
		{"address and notes", order.Order{Content: order.Content{Address: "ab", Notes: "c"}}, order.Order{Content: order.Content{Address: "a", Notes: "bc"}}},
		{"no time and 1970", order.Order{}, order.Order{Content: order.Content{ProcessAt: time.UnixMicro(0)}}},
		{"key and value of metadata", withMetadata("ab", "c"), withMetadata("a", "bc")},
		{"no metadata and empty metadata", order.Order{}, order.Order{Content: order.Content{Metadata: map[string]string{}}}},
		{"country and currency", order.Order{Content: order.Content{Country: "DE"}}, order.Order{Content: order.Content{Currency: "DE"}}},
		{"amount and priority", order.Order{Content: order.Content{Amount: order.Cents(1), Priority: 2}}, order.Order{Content: order.Content{Amount: order.Cents(2), Priority: 1}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.a.Fingerprint() == tt.b.Fingerprint() {
				t.Errorf("equal fingerprints of %+v and %+v", tt.a, tt.b)
			}
		})
	}
}

func withMetadata(key, value string) order.Order {
	return order.Order{Content: order.Content{Metadata: map[string]string{key: value}}}
}

// TestFingerprintOfEveryField holds that no field is left out of the fingerprint.
func TestFingerprintOfEveryField(t *testing.T) {
	t.Parallel()
	full := ordertest.Order(t, ordertest.Full).Content
	for i := range reflect.TypeFor[order.Content]().NumField() {
		other := full
		reflect.ValueOf(&other).Elem().Field(i).SetZero()
		if other.Fingerprint() == full.Fingerprint() {
			t.Errorf("the fingerprint does not depend on %s", reflect.TypeFor[order.Content]().Field(i).Name)
		}
	}
}
