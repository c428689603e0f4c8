package intake_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"orderprocessor/internal/intake"
	"orderprocessor/internal/order"
)

// TestKeyedIDIsStable holds that a key stands for the same order in every version:
// a client may send it again after an update.
func TestKeyedIDIsStable(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ caller, key, want string }{
		{"", "key-1", "74e47979-5349-88d7-ab6e-76ede6ec8298"},
		{"ada", "key-1", "56f70732-3ca0-8270-b5e8-c2483667f8aa"},
	} {
		if got := intake.KeyedID(row.caller, row.key); got != row.want {
			t.Errorf("caller %q, key %q: id %s, want %s", row.caller, row.key, got, row.want)
		}
	}
}

// TestKeyedIDTellsApart holds that no two pairs share an id, not even those that
// spell the same when they are joined, and that each id is one.
func TestKeyedIDTellsApart(t *testing.T) {
	t.Parallel()
	pairs := [][2]string{
		{"", "key-1"},
		{"", "key-2"},
		{"", "Key-1"},
		{"", "key-1 "},
		{"", "\x00key-1"},
		{"", ""},
		{"k", "ey-1"},
		{"key-1", ""},
		{"ada", "key-1"},
		{"Ada", "key-1"},
		{"adak", "ey-1"},
		{"ad", "akey-1"},
		{"ada", "\x00key-1"},
		{"", "ada\x00key-1"},
		{"", strings.Repeat("x", 255)},
		{"", strings.Repeat("x", 254)},
	}
	known := map[string][2]string{}
	for _, p := range pairs {
		id := intake.KeyedID(p[0], p[1])
		if other, ok := known[id]; ok {
			t.Errorf("%q and %q share id %s", p, other, id)
		}
		known[id] = p
		parsed, err := uuid.Parse(id)
		if err != nil || parsed.Version() != 8 || parsed.Variant() != uuid.RFC4122 || !order.ValidID(id) {
			t.Errorf("%q: id %s, version %d, variant %v, %v", p, id, parsed.Version(), parsed.Variant(), err)
		}
		if again := intake.KeyedID(p[0], p[1]); again != id {
			t.Errorf("%q: id %s, then %s", p, id, again)
		}
	}
}
