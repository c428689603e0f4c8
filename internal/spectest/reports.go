package spectest

import (
	"net/http"
	"sync/atomic"
	"testing"
)

const (
	// maxReason and maxShown bound what one failure tells of the reasons and of
	// the body, in bytes.
	maxReason = 2000
	maxShown  = 500
	// maxReports bounds how many failures of one transport are told.
	maxReports = 100
)

// reports fails a test with what was found.
type reports struct {
	tb    testing.TB
	count atomic.Int64
}

// add reports an answer; shown is the body that is wrong.
func (r *reports) add(resp *http.Response, reason error, shown []byte) {
	r.tb.Helper()
	switch n := r.count.Add(1); {
	case n < maxReports:
		r.tb.Errorf("spectest: %s %s was answered %d: %v\nbody: %.*s", resp.Request.Method, resp.Request.URL.RequestURI(),
			resp.StatusCode, reason, maxShown, shown)
	case n == maxReports:
		r.tb.Errorf("spectest: no more failures of this transport are told")
	default:
		r.tb.Fail()
	}
}
