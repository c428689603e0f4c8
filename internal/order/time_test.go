package order_test

import (
	"encoding/json"
	"testing"
	"time"

	"orderprocessor/internal/order"
)

// TestFormatTime writes times of one width, in UTC, that can be read back.
func TestFormatTime(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		at   time.Time
		want string
	}{
		{time.Unix(0, 0), "1970-01-01T00:00:00.000000Z"},
		{time.Unix(1_764_000_000, 100_000_000), "2025-11-24T16:00:00.100000Z"},
		{time.Unix(1_764_000_000, 123_456_999), "2025-11-24T16:00:00.123456Z"},
		{time.Date(2026, 12, 31, 23, 30, 0, 1000, time.FixedZone("west", -3600)), "2027-01-01T00:30:00.000001Z"},
	} {
		if got := order.FormatTime(row.at); got != row.want {
			t.Errorf("%v is written %s, want %s", row.at, got, row.want)
		}
		text, err := json.Marshal(order.Timestamp{Time: row.at})
		if err != nil || string(text) != `"`+row.want+`"` {
			t.Errorf("%v is %s in JSON, %v", row.at, text, err)
		}
		var back order.Timestamp
		if err := json.Unmarshal(text, &back); err != nil || !back.Equal(row.at.Truncate(time.Microsecond)) {
			t.Errorf("%s is read back as %v, %v", text, back, err)
		}
	}
}
