package order_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

// TestNewProcessAt holds which texts are times, which times an order may have,
// and what becomes of them.
func TestNewProcessAt(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 500_000_000, time.UTC)
	at := func(year int, month time.Month, day, hour, minute, second, ns int) time.Time {
		return time.Date(year, month, day, hour, minute, second, ns, time.UTC)
	}
	form, bounds := []string{"process_at invalid"}, []string{"process_at out_of_range"}
	rows := []struct {
		name, text string
		want       time.Time
		problems   []string
	}{
		{"absent", "", time.Time{}, nil},
		{"later today", "2026-11-23T18:00:00Z", at(2026, 11, 23, 18, 0, 0, 0), nil},
		{"now", "2026-11-23T12:00:00.5Z", now, nil},
		{"long past", "2001-09-09T01:46:40Z", at(2001, 9, 9, 1, 46, 40, 0), nil},
		{"east of Greenwich", "2026-11-24T01:30:00+05:30", at(2026, 11, 23, 20, 0, 0, 0), nil},
		{"west of Greenwich", "2026-11-23T18:00:00-08:00", at(2026, 11, 24, 2, 0, 0, 0), nil},
		{"of no known zone", "2026-11-23T18:00:00-00:00", at(2026, 11, 23, 18, 0, 0, 0), nil},
		{"to the microsecond", "2026-11-23T18:00:00.123456Z", at(2026, 11, 23, 18, 0, 0, 123_456_000), nil},
		{"nanoseconds are cut", "2026-11-23T18:00:00.123456999Z", at(2026, 11, 23, 18, 0, 0, 123_456_000), nil},
		{"so are shorter times", "2026-11-23T18:00:00.9999999999999Z", at(2026, 11, 23, 18, 0, 0, 999_999_000), nil},
		{"leap day", "2024-02-29T12:00:00Z", at(2024, 2, 29, 12, 0, 0, 0), nil},

		{"30 days ahead", "2026-12-23T12:00:00.5Z", at(2026, 12, 23, 12, 0, 0, 500_000_000), nil},
		{"30 days ahead, elsewhere", "2026-12-24T02:00:00.5+14:00", at(2026, 12, 23, 12, 0, 0, 500_000_000), nil},
		{"a microsecond more", "2026-12-23T12:00:00.500001Z", time.Time{}, bounds},
		{"a microsecond more, elsewhere", "2026-12-23T02:00:00.500001-10:00", time.Time{}, bounds},
		{"far ahead", "9999-12-31T23:59:59Z", time.Time{}, bounds},
		{"1970", "1970-01-01T00:00:00Z", at(1970, 1, 1, 0, 0, 0, 0), nil},
		{"a microsecond before 1970", "1969-12-31T23:59:59.999999Z", time.Time{}, bounds},
		{"before 1970 by its zone", "1970-01-01T00:59:59+01:00", time.Time{}, bounds},
		{"year 1, which reads as no time", "0001-01-01T00:00:00Z", time.Time{}, bounds},
		{"year 0", "0000-12-31T23:59:59Z", time.Time{}, bounds},

		{"no zone", "2026-11-23T18:00:00", time.Time{}, form},
		{"no zone, with a fraction", "2026-11-23T18:00:00.5", time.Time{}, form},
		{"zone by name", "2026-11-23T18:00:00 UTC", time.Time{}, form},
		{"zone without a colon", "2026-11-23T18:00:00+0100", time.Time{}, form},
		{"zone of hours", "2026-11-23T18:00:00+01", time.Time{}, form},
		{"date only", "2026-11-23", time.Time{}, form},
		{"time only", "18:00:00Z", time.Time{}, form},
		{"no seconds", "2026-11-23T18:00Z", time.Time{}, form},
		{"empty fraction", "2026-11-23T18:00:00.Z", time.Time{}, form},
		{"fraction behind a comma", "2026-11-23T18:00:00,5Z", time.Time{}, form},
		{"one digit of the hour", "2026-11-23T8:00:00Z", time.Time{}, form},
		{"one digit of the hour, with a zone", "2026-11-23T8:00:00+01:00", time.Time{}, form},
		{"zone of a day", "2026-11-23T18:00:00+24:00", time.Time{}, form},
		{"zone of sixty minutes", "2026-11-23T18:00:00-01:60", time.Time{}, form},
		{"the largest zone", "2026-11-23T23:59:00+23:59", at(2026, 11, 23, 0, 0, 0, 0), nil},
		{"lower case t", "2026-11-23t18:00:00Z", at(2026, 11, 23, 18, 0, 0, 0), nil},
		{"lower case z", "2026-11-23T18:00:00.5z", at(2026, 11, 23, 18, 0, 0, 500_000_000), nil},
		{"space for T", "2026-11-23 18:00:00Z", time.Time{}, form},
		{"no hyphens", "20261123T180000Z", time.Time{}, form},
		{"short month", "2026-1-23T18:00:00Z", time.Time{}, form},
		{"hour 24", "2026-11-23T24:00:00Z", time.Time{}, form},
		{"leap second", "2016-12-31T23:59:60Z", at(2017, 1, 1, 0, 0, 0, 0), nil},
		{"in a leap second, elsewhere", "2017-01-01T05:29:60.25+05:30", at(2017, 1, 1, 0, 0, 0, 250_000_000), nil},
		{"leap second at no end of a day", "2016-12-31T22:59:60Z", time.Time{}, form},
		{"second 61", "2016-12-31T23:59:61Z", time.Time{}, form},
		{"letter of another alphabet", "2026-11-23Τ18:00:00Z", time.Time{}, form},
		{"no such day", "2026-02-29T12:00:00Z", time.Time{}, form},
		{"five digits of a year", "12026-11-23T18:00:00Z", time.Time{}, form},
		{"seconds since 1970", "1795456800", time.Time{}, form},
		{"white space", " ", time.Time{}, form},
		{"white space in front", " 2026-11-23T18:00:00Z", time.Time{}, form},
		{"white space behind", "2026-11-23T18:00:00Z\n", time.Time{}, form},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			o, err := order.New(ordertest.Submission(processAt(row.text)), now)
			if diff := cmp.Diff(row.problems, fieldCodes(t, err)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if !o.ProcessAt.Equal(row.want) || o.ProcessAt.Location() != time.UTC {
				t.Errorf("process at %v, want %v", o.ProcessAt, row.want)
			}
		})
	}
}

// TestNewTellsAheadFromNow holds that the same time may be too far ahead of one
// moment and not of another.
func TestNewTellsAheadFromNow(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for before, want := range map[time.Duration][]string{
		order.MaxAhead + time.Nanosecond: {"process_at out_of_range"},
		order.MaxAhead:                   nil,
		-100 * 365 * 24 * time.Hour:      nil,
	} {
		now := at.Add(-before).In(time.FixedZone("far east", 13*60*60))
		_, err := order.New(ordertest.Submission(ordertest.WithProcessAt(at)), now)
		if diff := cmp.Diff(want, fieldCodes(t, err)); diff != "" {
			t.Errorf("%v before (-want +got):\n%s", before, diff)
		}
	}
}
