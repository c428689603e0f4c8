package archive_test

import (
	"slices"
	"testing"

	"orderprocessor/internal/order"
)

// TestState holds that an archive keeps its id and counts what it confirms, and nothing else.
func TestState(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bundle) {
		first := b.state(t)
		if first.ID == "" || first.Puts != 0 {
			t.Errorf("a new archive has the state %v", first)
		}
		b.put(t, completed("o1"), completed("o2"))
		b.put(t, completed("o1"))
		if err := b.Put(t.Context(), make([]order.History, 1001)); err == nil {
			t.Error("too many orders were put")
		}
		again := open(t, b.address)
		if got, want := again.state(t), (order.ArchiveState{ID: first.ID, Puts: 2}); got != want {
			t.Errorf("opened again it has the state %v, want %v", got, want)
		}
	})
}

func (b *bundle) state(t *testing.T) order.ArchiveState {
	t.Helper()
	s, err := b.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestMissing looks for histories of which the archive has the order, a newer one, an
// older one, another order with the id, or nothing.
func TestMissing(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bundle) {
		had, newer, older, other, never := completed("had"), completed("newer"), completed("older"), completed("other"), completed("never")
		b.put(t, had, newer, older, other)
		newer.Sequence--
		older.Sequence++
		other.Record.CreatedAt = other.Record.CreatedAt.Add(1000)
		missing, err := b.Missing(t.Context(), []order.History{had, newer, older, other, never})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, h := range missing {
			got = append(got, h.Record.ID)
		}
		if !slices.Equal(got, []string{"older", "other", "never"}) {
			t.Errorf("missing are %q", got)
		}
	})
}
