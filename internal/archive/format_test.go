package archive_test

import (
	"encoding/json"
	"os"
	"testing"

	diff "github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

// TestFormat holds that archives of this version can be read for ever: the names in
// testdata/full.json never change. A new field is added to the file, as UPDATE=1 does.
func TestFormat(t *testing.T) {
	t.Parallel()
	const file = "testdata/full.json"
	h := full(t)
	text, err := json.MarshalIndent(map[string]any{"record": h.Record, "events": h.Events}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(file, append(text, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := diff.Diff(string(kept), string(text)+"\n"); d != "" {
		t.Errorf("what is written has changed (-kept +now):\n%s", d)
	}
	var read struct {
		Record order.Record
		Events []order.Event
	}
	if err := json.Unmarshal(kept, &read); err != nil {
		t.Fatal(err)
	}
	read.Events[0].OrderID = h.Record.ID
	if d := diff.Diff(h, order.History{Record: read.Record, Events: read.Events, Sequence: h.Sequence}); d != "" {
		t.Errorf("what was kept reads as (-want +got):\n%s", d)
	}
}
