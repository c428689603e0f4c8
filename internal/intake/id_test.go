package intake_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"orderprocessor/internal/intake"
	"orderprocessor/internal/order"
)

// TestKeyedID checks that each pair of caller and key has an id of its own, even if joined
// they spell the same, and that it never changes: a client may send its key again after an
// update.
func TestKeyedID(t *testing.T) {
	t.Parallel()
	for pair, want := range map[[2]string]string{
		{"", "key-1"}: "74e47979-5349-88d7-ab6e-76ede6ec8298", {"ada", "key-1"}: "56f70732-3ca0-8270-b5e8-c2483667f8aa",
	} {
		if got := intake.KeyedID(pair[0], pair[1]); got != want {
			t.Errorf("%q: id %s, want %s", pair, got, want)
		}
	}
	known := map[string][2]string{}
	for _, p := range [][2]string{
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
	} {
		id := intake.KeyedID(p[0], p[1])
		if other, ok := known[id]; ok {
			t.Errorf("%q and %q have the id %s", p, other, id)
		}
		known[id] = p
		parsed, err := uuid.Parse(id)
		if err != nil || parsed.Version() != 8 || parsed.Variant() != uuid.RFC4122 || !order.ValidID(id) || intake.KeyedID(p[0], p[1]) != id {
			t.Errorf("%q: id %s, version %d, variant %v, %v", p, id, parsed.Version(), parsed.Variant(), err)
		}
	}
}
