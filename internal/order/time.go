package order

import (
	"errors"
	"strings"
	"time"
)

// timeLayout is RFC 3339 to the microsecond, as precise as the ledger is.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// FormatTime formats a time in UTC, always with six fractional digits, so that texts
// sort as times do. All times in answers, events and calls to the shop are formatted by
// it.
func FormatTime(t time.Time) string { return t.UTC().Format(timeLayout) }

// Timestamp is a time that FormatTime formats in JSON.
type Timestamp struct{ time.Time }

// MarshalJSON implements json.Marshaler.
func (t Timestamp) MarshalJSON() ([]byte, error) { return []byte(`"` + FormatTime(t.Time) + `"`), nil }

// ErrNotATime is returned by ParseTime.
var ErrNotATime = errors.New("must be a time with its zone, as in 2026-11-23T12:00:00Z (RFC 3339)")

// ParseTime parses a time with its zone exactly as RFC 3339 defines it. time.Parse
// accepts a little more, but not lower case, nor a leap second, which ParseTime reads as
// the second after it. The result is in UTC. ParseTime returns ErrNotATime.
func ParseTime(text string) (time.Time, error) {
	const upToHour, upToMinute = len("2026-11-23T12"), len("2026-11-23T12:00:")
	text = strings.ToUpper(text)
	leap := time.Duration(0)
	if len(text) > upToMinute && strings.HasPrefix(text[upToMinute:], "60") {
		text = text[:upToMinute] + "59" + text[upToMinute+len("60"):]
		leap = time.Second
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || text[upToHour] != ':' || strings.Contains(text, ",") || !zoneExists(text) {
		return time.Time{}, ErrNotATime
	}
	if t = t.UTC(); leap > 0 && (t.Hour() != 23 || t.Minute() != 59) {
		return time.Time{}, ErrNotATime
	}
	return t.Add(leap), nil
}

// zoneExists reports whether the zone of a text that time.Parse accepts is below 24
// hours, with minutes below 60.
func zoneExists(text string) bool {
	if strings.HasSuffix(text, "Z") {
		return true
	}
	hours, minutes, _ := strings.Cut(text[len(text)-len("00:00"):], ":")
	return hours < "24" && minutes < "60"
}
