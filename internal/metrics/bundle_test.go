package metrics_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/metrics"
	"orderprocessor/internal/order"
)

const buildInfo = "orders_build_info"

// page returns the answer to a scrape.
func page(t *testing.T, r *metrics.Registry) string {
	t.Helper()
	answer := httptest.NewRecorder()
	r.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	if answer.Code != http.StatusOK {
		t.Fatalf("the scrape is answered %d: %s", answer.Code, answer.Body)
	}
	return answer.Body.String()
}

// scrape returns the series of a scrape whose names have the prefix. The build, which
// every registry has, must be asked for by its whole name.
func scrape(t *testing.T, r *metrics.Registry, prefix string) map[string]float64 {
	t.Helper()
	series := map[string]float64{}
	for line := range strings.Lines(page(t, r)) {
		if !strings.HasPrefix(line, prefix) || strings.HasPrefix(line, buildInfo) && prefix != buildInfo {
			continue
		}
		line = strings.TrimSpace(line)
		end := strings.LastIndexByte(line, ' ')
		name, value := line[:end], line[end+1:]
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		series[name] = n
	}
	return series
}

// nonzero returns what has counted since the registry was made.
func nonzero(series map[string]float64) map[string]float64 {
	counted := map[string]float64{}
	for name, n := range series {
		if n != 0 {
			counted[name] = n
		}
	}
	return counted
}

func compare(t *testing.T, want, got map[string]float64) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
}

// ledgerStub answers every write alike.
type ledgerStub struct{ err error }

func (l ledgerStub) Begin(context.Context, order.Claim) (order.Begun, error) {
	return order.Begun{Number: 7}, l.err
}

func (l ledgerStub) Fail(context.Context, order.Claim, order.Failure) error {
	return l.err
}

func (l ledgerStub) Settle(context.Context, order.Claim, order.Outcome) error { return l.err }

func (l ledgerStub) Hold(context.Context, string, order.Decision) error { return l.err }
