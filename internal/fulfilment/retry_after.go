package fulfilment

import (
	"net/http"
	"strconv"
	"time"
)

// maxRetryAfterSeconds is maxRetryAfter as the header counts.
const maxRetryAfterSeconds = uint64(maxRetryAfter / time.Second)

// retryAfter reads a Retry-After header, RFC 9110 section 10.2.3: seconds or an
// HTTP date. It is between zero and maxRetryAfter, and zero for a value that is
// absent, malformed or in the past.
func retryAfter(value string, now time.Time) time.Duration {
	if isDigits(value) {
		seconds, err := strconv.ParseUint(value, 10, 64)
		if err != nil {
			return maxRetryAfter // too many digits for 64 bits
		}
		return time.Duration(min(seconds, maxRetryAfterSeconds)) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

func isDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return text != ""
}
