package fulfilment

import (
	"strconv"
	"testing"
	"time"
)

// testNow is a Sunday at noon.
var testNow = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		value string
		want  time.Duration
	}{
		"absent":            {"", 0},
		"zero":              {"0", 0},
		"seconds":           {"120", 2 * time.Minute},
		"leading zeros":     {"007", 7 * time.Second},
		"a day":             {"86400", 24 * time.Hour},
		"above a day":       {"86401", 24 * time.Hour},
		"overflows int64":   {"9223372036854775808", 24 * time.Hour},
		"overflows uint64":  {"99999999999999999999999", 24 * time.Hour},
		"negative":          {"-5", 0},
		"signed":            {"+5", 0},
		"fraction":          {"1.5", 0},
		"exponent":          {"1e3", 0},
		"two values":        {"5, 10", 0},
		"other digits":      {"٣", 0},
		"words":             {"soon", 0},
		"date":              {"Sun, 01 Mar 2026 12:00:30 GMT", 30 * time.Second},
		"date, RFC 850":     {"Sunday, 01-Mar-26 12:01:00 GMT", time.Minute},
		"date, asctime":     {"Sun Mar  1 12:00:09 2026", 9 * time.Second},
		"date now":          {"Sun, 01 Mar 2026 12:00:00 GMT", 0},
		"date past":         {"Sun, 01 Mar 2026 11:59:59 GMT", 0},
		"date long past":    {"Mon, 01 Jan 0001 00:00:00 GMT", 0},
		"date a month away": {"Wed, 01 Apr 2026 12:00:00 GMT", 24 * time.Hour},
		"date far away":     {"Fri, 31 Dec 9999 23:59:59 GMT", 24 * time.Hour},
		"date malformed":    {"Sun, 01 Mar 2026", 0},
		"date of ISO 8601":  {"2026-03-01T12:00:30Z", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := retryAfter(tt.value, testNow); got != tt.want {
				t.Errorf("retryAfter(%q): got %v, want %v", tt.value, got, tt.want)
			}
		})
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{
		"", "0", "120", "-1", "+1", "1.5", "86401", "18446744073709551615", "18446744073709551616", " 5", "5 ",
		"Sun, 01 Mar 2026 12:00:30 GMT", "Sunday, 01-Mar-26 12:01:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "\x00", "٣",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got := retryAfter(value, testNow)
		if got < 0 || got > maxRetryAfter {
			t.Fatalf("retryAfter(%q) is out of bounds: %v", value, got)
		}
		seconds, err := strconv.ParseUint(value, 10, 31)
		if want := min(time.Duration(seconds)*time.Second, maxRetryAfter); err == nil && got != want {
			t.Fatalf("retryAfter(%q): got %v, want %v", value, got, want)
		}
	})
}
