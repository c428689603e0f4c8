package order_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"orderprocessor/internal/order"
)

func TestErrorFingerprint(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"nothing variable", "worker was lost", "worker was lost"},
		{"a status and its text stay", "fulfilment answered 503 Service Unavailable", "fulfilment answered 503 Service Unavailable"},
		{"only a whole status", "fulfilment answered 503.5", "fulfilment answered #"},
		{"only after that word", "code 503", "code #"},
		{"numbers", "3 attempts used up: code -17", "# attempts used up: code -#"},
		{"a UUID", "order 0190f0a2-7c3e-7bb1-a3f4-0123456789ab is gone", "order # is gone"},
		{"an order's id in a URL", `Post "https://shop.example/v/orders/ORD-7": EOF`, `Post "https://shop.example/v/orders/#": EOF`},
		{"an address", "dial tcp 10.0.0.7:8080: connect: connection refused", "dial tcp #:#: connect: connection refused"},
		{"an IPv6 address", "dial tcp [fe80::1]:80: no route", "dial tcp [#::#]:#: no route"},
		{"durations", "no answer within 1m30.5s, not 250ms", "no answer within #, not #"},
		{"hex without a digit", "trace deadbeef", "trace #"},
		{"a short word of hex letters", "a faded facade", "a faded facade"},
		{"the end of a sentence", "stock is 5. Try later.", "stock is #. Try later."},
		{"white space", "  no\tstock\n left ", "no stock left"},
		{"other alphabets", "Größe ٣ fehlt", "Größe # fehlt"},
	} {
		if got := order.ErrorFingerprint(row.text); got != row.want {
			t.Errorf("%s: ErrorFingerprint(%q) = %q, want %q", row.name, row.text, got, row.want)
		}
	}
}

// TestErrorFingerprintAgain holds for any text that a fingerprint is its own, and no
// longer than the text.
func TestErrorFingerprintAgain(t *testing.T) {
	t.Parallel()
	word := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"answered", "503", "o-1", "-", ".", "\xff", "deadbeef", "fe80::1"}))
	rapid.Check(t, func(t *rapid.T) {
		between := rapid.SampledFrom([]string{"", " ", "-", "."})
		text := strings.Join(rapid.SliceOf(word).Draw(t, "words"), between.Draw(t, "between"))
		once := order.ErrorFingerprint(text)
		if again := order.ErrorFingerprint(once); again != once || len(once) > len(text) {
			t.Fatalf("the fingerprint of %q is %q, and that of it is %q", text, once, again)
		}
	})
}

// TestErased holds for every text of an order that it is erased or known to stay.
func TestErased(t *testing.T) {
	t.Parallel()
	c := order.Content{Customer: "Ada", Address: "1 Main Street", Notes: "ring", Items: order.Names("tea"), Metadata: map[string]string{"gift": "to Bob", "empty": ""}}
	got := c.Erased()
	if got.Customer != order.ErasedText || got.Address != order.ErasedText || got.Notes != order.ErasedText || got.Items[0].Name != "tea" {
		t.Errorf("erased: %+v", got)
	}
	if len(got.Metadata) != 2 || got.Metadata["gift"] != order.ErasedText || got.Metadata["empty"] != order.ErasedText {
		t.Errorf("erased metadata: %v", got.Metadata)
	}
	if c.Metadata["gift"] != "to Bob" {
		t.Error("erasing changed the metadata that was given")
	}
	if none := (order.Content{Customer: "Ada"}).Erased(); none.Address != "" || none.Notes != "" || none.Metadata != nil {
		t.Errorf("erased what was empty: %+v", none)
	}
}
