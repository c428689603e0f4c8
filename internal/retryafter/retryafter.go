// Package retryafter reads how long an HTTP answer asks its client to wait.
//
// It receives the headers of an answer and returns a time. It owns nothing and
// bounds nothing: how long a wait may be is its callers' to say.
package retryafter

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Read returns the wait that Retry-After asks for, RFC 9110 section 10.2.3: a
// number of seconds, of which many servers send decimals too, or a date in one
// of the three forms of HTTP. A date counts from the answer's own Date, so that
// the two clocks need not agree, and from now if there is none that can be
// read. The wait is in whole seconds, rounded up, and zero for a date that has
// passed. Of several headers the longest wait counts. Values of another form do
// not; ok is false if there is no other.
func Read(header http.Header, now time.Time) (wait time.Duration, ok bool) {
	if sent, err := http.ParseTime(header.Get("Date")); err == nil {
		now = sent
	}
	for _, value := range header.Values("Retry-After") {
		if w, valid := read(strings.TrimSpace(value), now); valid {
			wait, ok = max(wait, w), true
		}
	}
	return wait, ok
}

func read(value string, now time.Time) (time.Duration, bool) {
	whole, decimals, point := strings.Cut(value, ".")
	if isDigits(whole) && (!point || isDigits(decimals)) {
		return seconds(whole, decimals), true
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	return roundUp(max(at.Sub(now), 0)), true
}

// longest is what stands for any longer wait: a whole number of seconds.
const longest = math.MaxInt64 - math.MaxInt64%time.Second

// seconds keeps to integers: a float would lose the last of many decimals.
func seconds(whole, decimals string) time.Duration {
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n >= int64(longest/time.Second) {
		return longest
	}
	if strings.Trim(decimals, "0") != "" {
		n++
	}
	return time.Duration(n) * time.Second
}

func roundUp(d time.Duration) time.Duration {
	if d > longest-time.Second {
		return longest
	}
	return (d + time.Second - 1).Truncate(time.Second)
}

func isDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}
