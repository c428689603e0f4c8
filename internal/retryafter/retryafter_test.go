package retryafter_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"orderprocessor/internal/retryafter"
)

// now is a Sunday at noon.
var now = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// forever stands for waits beyond what a time.Duration holds.
const forever = 200 * 365 * 24 * time.Hour

func TestRead(t *testing.T) {
	t.Parallel()
	const none = -1
	tests := map[string]struct {
		value string
		want  time.Duration // none: not valid
	}{
		"empty":                    {"", none},
		"zero":                     {"0", 0},
		"seconds":                  {"120", 2 * time.Minute},
		"seconds in blanks":        {" \t120 ", 2 * time.Minute},
		"leading zeros":            {"007", 7 * time.Second},
		"above a day":              {"86401", 86401 * time.Second},
		"overflows a duration":     {"9223372037", forever},
		"overflows int64":          {"9223372036854775808", forever},
		"overflows uint64":         {"99999999999999999999999", forever},
		"decimal zero":             {"2.0", 2 * time.Second},
		"decimal":                  {"1.25", 2 * time.Second},
		"below one":                {"0.5", time.Second},
		"nothing, with decimals":   {"0.000", 0},
		"hardly anything":          {"0.0000000000000000000000001", time.Second},
		"hardly more":              {"3.0000000000000000000000001", 4 * time.Second},
		"hardly less":              {"1.9999999999999999999999999", 2 * time.Second},
		"overflows, decimal":       {"99999999999999999999999.5", forever},
		"no decimals":              {"2.", none},
		"no whole":                 {".5", none},
		"two points":               {"1.2.3", none},
		"a comma":                  {",", none},
		"decimal comma":            {"1,5", none},
		"negative":                 {"-5", none},
		"negative decimal":         {"-0.5", none},
		"decimals negative":        {"0.-5", none},
		"signed":                   {"+5", none},
		"exponent":                 {"1e3", none},
		"hexadecimal":              {"0x10", none},
		"infinite":                 {"Inf", none},
		"no number":                {"NaN", none},
		"with a unit":              {"5s", none},
		"two values":               {"5, 10", none},
		"other digits":             {"٣", none},
		"words":                    {"soon", none},
		"date":                     {"Sun, 01 Mar 2026 12:00:30 GMT", 30 * time.Second},
		"date, RFC 850":            {"Sunday, 01-Mar-26 12:01:00 GMT", time.Minute},
		"date, asctime":            {"Sun Mar  1 12:00:09 2026", 9 * time.Second},
		"date now":                 {"Sun, 01 Mar 2026 12:00:00 GMT", 0},
		"date past":                {"Sun, 01 Mar 2026 11:59:59 GMT", 0},
		"date long past":           {"Mon, 01 Jan 0001 00:00:00 GMT", 0},
		"date a month away":        {"Wed, 01 Apr 2026 12:00:00 GMT", 31 * 24 * time.Hour},
		"date far away":            {"Fri, 31 Dec 9999 23:59:59 GMT", forever},
		"date malformed":           {"Sun, 01 Mar 2026", none},
		"date of ISO 8601":         {"2026-03-01T12:00:30Z", none},
		"date that does not exist": {"Mon, 30 Feb 2026 12:00:00 GMT", none},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, http.Header{"Retry-After": {tt.value}}, tt.want)
		})
	}
}

// check reads a header at noon; a negative wait stands for none.
func check(t *testing.T, header http.Header, want time.Duration) {
	t.Helper()
	got, ok := retryafter.Read(header, now)
	if ok != (want >= 0) || got != max(want, 0) && (want != forever || got < forever) {
		t.Errorf("Read(%v): got %v, %v, want %v", header, got, ok, want)
	}
	if got%time.Second != 0 {
		t.Errorf("Read(%v): %v is no whole number of seconds", header, got)
	}
}

func TestNoHeaderAsksForNothing(t *testing.T) {
	t.Parallel()
	check(t, http.Header{}, -1)
}

func TestLongestOfSeveralHeadersCounts(t *testing.T) {
	t.Parallel()
	check(t, http.Header{"Retry-After": {"soon", "4", "Sun, 01 Mar 2026 12:00:09 GMT", "-60", "5"}}, 9*time.Second)
}

// Neither clock has to be right: a date counts from the answer's own, whatever
// form either has.
func TestDateCountsFromTheAnswersOwn(t *testing.T) {
	t.Parallel()
	forms := []string{http.TimeFormat, "Monday, 02-Jan-06 15:04:05 GMT", time.ANSIC}
	for _, off := range []time.Duration{-50 * time.Hour, -time.Hour, -time.Second, 0, time.Second, time.Hour, 50 * time.Hour} {
		for _, sent := range forms {
			for _, back := range forms {
				date := now.Add(off)
				check(t, http.Header{
					"Date": {date.Format(sent)}, "Retry-After": {date.Add(4 * time.Second).Format(back)},
				}, 4*time.Second)
				check(t, http.Header{"Date": {date.Format(sent)}, "Retry-After": {date.Add(-time.Second).Format(back)}}, 0)
			}
		}
	}
}

func TestDateCountsFromNowWithoutAnotherOfTheAnswer(t *testing.T) {
	t.Parallel()
	for _, sent := range []string{"", "yesterday", "1772366400", "2026-03-01T10:00:00Z"} {
		check(t, http.Header{"Date": {sent}, "Retry-After": {"Sun, 01 Mar 2026 12:00:30 GMT"}}, 30*time.Second)
	}
	got, _ := retryafter.Read(http.Header{"Retry-After": {"Sun, 01 Mar 2026 12:00:30 GMT"}}, now.Add(time.Millisecond))
	if got != 30*time.Second {
		t.Errorf("29.999 s are not rounded up: got %v", got)
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"", "0", "120", "-1", "+1", "1.5", "86401", "18446744073709551615", "18446744073709551616", " 5", "5 ", "9223372036.5",
		"Sun, 01 Mar 2026 12:00:30 GMT", "Sunday, 01-Mar-26 12:01:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "\x00", "٣", ".",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got, ok := retryafter.Read(http.Header{"Retry-After": {value}}, now)
		if got < 0 || got%time.Second != 0 || !ok && got != 0 {
			t.Fatalf("Read(%q): got %v, %v", value, got, ok)
		}
		seconds, err := strconv.ParseUint(value, 10, 31)
		if want := time.Duration(seconds) * time.Second; err == nil && got != want {
			t.Fatalf("Read(%q): got %v, want %v", value, got, want)
		}
	})
}
