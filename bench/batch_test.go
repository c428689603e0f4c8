package bench_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/redistest"
)

// batchOrders is how many orders a batch of the benchmark holds.
const batchOrders = 5000

// BenchmarkSubmitAlone is one client that posts its orders one after the other.
func BenchmarkSubmitAlone(b *testing.B) {
	redis := redistest.Start(b, "--appendonly", "yes", "--appendfsync", "everysec")
	url := startAPI(b, redis)
	b.ResetTimer()
	for n := range int64(b.N) {
		if err := post(b, url, n); err != nil {
			b.Fatal(err)
		}
	}
	report(b)
}

// BenchmarkSubmitBatch is one client that posts the same orders in batches, one
// batch after the other.
func BenchmarkSubmitBatch(b *testing.B) {
	redis := redistest.Start(b, "--appendonly", "yes", "--appendfsync", "everysec")
	url := startAPI(b, redis)
	b.ResetTimer()
	for n := 0; n < b.N; n += batchOrders {
		if err := postBatch(b, url, n, min(batchOrders, b.N-n)); err != nil {
			b.Fatal(err)
		}
	}
	report(b)
	ledgertest.CheckBooks(b, redis.Client())
}

func postBatch(b *testing.B, url string, first, orders int) error {
	b.Helper()
	var lines bytes.Buffer
	for n := first; n < first+orders; n++ {
		lines.Write(submission(int64(n)))
		lines.WriteByte('\n')
	}
	resp, err := client.Post(url+"/orders/batch", "application/x-ndjson", &lines)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	verdicts, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if accepted := bytes.Count(verdicts, []byte(`"status":201`)); resp.StatusCode != http.StatusOK || accepted != orders {
		return fmt.Errorf("%s: %d of %d orders were accepted: %.200s", resp.Status, accepted, orders, verdicts)
	}
	return nil
}
