package api_test

import (
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"

	"orderprocessor/internal/api"
	"orderprocessor/internal/order"
)

// FuzzDecodeOrder wants every body to be either an order or a problem of one of
// the two kinds, and an order to survive being written and read again.
func FuzzDecodeOrder(f *testing.F) {
	f.Add([]byte(body()))
	f.Add([]byte(`{"amount":1,"items":["a"],"customer":"Ada","address":"x"}`))
	for _, row := range badBodies() {
		if len(row.body) <= 4096 { // long seeds only slow the fuzzer down
			f.Add([]byte(row.body))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		o, err := api.DecodeOrder(text)
		if err != nil {
			checkRefusal(t, err)
			return
		}
		if !utf8.Valid(text) || !json.Valid(text) {
			t.Fatalf("%q is not JSON and became an order", text)
		}
		if o.ID == "" {
			o.ID = "made" // as intake gives it one
		}
		again, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		o2, err := api.DecodeOrder(again)
		if err != nil {
			t.Fatalf("order %s is refused: %v", again, err)
		}
		if o.Fingerprint() != o2.Fingerprint() || o.ID != o2.ID {
			t.Errorf("%+v became %+v", o, o2)
		}
	})
}

func checkRefusal(t *testing.T, err error) {
	t.Helper()
	var invalid *order.InvalidError
	switch {
	case api.Malformed(err):
	case errors.As(err, &invalid) && len(invalid.Problems) > 0:
	default:
		t.Errorf("error %v is of neither kind", err)
	}
	if !utf8.ValidString(err.Error()) {
		t.Errorf("error %q is not UTF-8", err)
	}
}
