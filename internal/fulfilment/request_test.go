package fulfilment

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"go.opentelemetry.io/otel/trace"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

func TestCallIsSignedAndKeyed(t *testing.T) {
	t.Parallel()
	type call struct {
		method, uri string
		header      http.Header
		body        []byte
	}
	calls := make(chan call, 1)
	shop := newShop(t, func(w http.ResponseWriter, r *http.Request, body []byte) {
		calls <- call{r.Method, r.RequestURI, r.Header, body}
		io.WriteString(w, "thanks") //nolint:errcheck // the client's side tells
	})
	shop.Start()
	c := newClient(t, Config{URL: strings.Replace(shop.URL, "//", "//joe:pw@", 1) + "/hook?k=v#top", Secret: testSecret})

	note, err := fulfil(c)
	if note != "thanks" || err != nil {
		t.Fatalf("Fulfil: got %q, %v", note, err)
	}
	got := <-calls
	checkSignature(t, got.header, got.body)
	sent, err := strconv.ParseInt(got.header.Get("webhook-timestamp"), 10, 64)
	if err != nil || time.Since(time.Unix(sent, 0)) > longTimeout {
		t.Errorf("webhook-timestamp %d is not the call's, %v", sent, err)
	}
	if diff := cmp.Diff([]string{"POST", "/hook?k=v"}, []string{got.method, got.uri}); diff != "" {
		t.Error(diff)
	}
	want := map[string]string{
		"Content-Type": "application/json", "User-Agent": "orderprocessor", "Idempotency-Key": "ord_1",
		"Webhook-Id": "ord_1", "Authorization": "Basic am9lOnB3", "Cookie": "", "Traceparent": "",
	}
	if diff := cmp.Diff(want, pick(got.header, want)); diff != "" {
		t.Error(diff)
	}
	checkBody(t, got.body, "2026-03-01T12:00:00.000001Z")
}

// checkSignature verifies what arrived, byte for byte, and that the check can
// fail.
func checkSignature(t *testing.T, header http.Header, body []byte) {
	t.Helper()
	shop, err := standardwebhooks.NewWebhook(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	if err := shop.Verify(body, header); err != nil {
		t.Errorf("signature: %v", err)
	}
	if err := shop.Verify(append(body, ' '), header); !errors.Is(err, standardwebhooks.ErrNoMatchingSignature) {
		t.Errorf("signature of other bytes: got %v", err)
	}
}

func checkBody(t *testing.T, body []byte, timestamp string) {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"type": "order.approved", "timestamp": timestamp,
		"data": map[string]any{
			"order": map[string]any{
				"id": "ord_1", "amount": 12.5, "items": []any{"tea & <milk>", "käse"},
				"customer": "ada@example.com", "address": "1 Main St\nTown", "priority": 1.0,
			},
			"handling": "expedited", "attempt": 3.0,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func pick(header http.Header, names map[string]string) map[string]string {
	got := map[string]string{}
	for name := range names {
		got[name] = header.Get(name)
	}
	return got
}

func TestCallWithoutSecretIsUnsigned(t *testing.T) {
	t.Parallel()
	headers := make(chan http.Header, 1)
	shop := newShop(t, func(_ http.ResponseWriter, r *http.Request, _ []byte) { headers <- r.Header })
	shop.Start()
	if _, err := fulfil(newClient(t, Config{URL: shop.URL})); err != nil {
		t.Fatal(err)
	}
	got := <-headers
	if _, signed := got["Webhook-Signature"]; signed || got.Get("webhook-id") != "ord_1" || got.Get("webhook-timestamp") == "" {
		t.Errorf("headers of an unsigned call: %v", got)
	}
}

func TestCallCarriesTheTrace(t *testing.T) {
	t.Parallel()
	headers := make(chan http.Header, 1)
	shop := newShop(t, func(_ http.ResponseWriter, r *http.Request, _ []byte) { headers <- r.Header })
	shop.Start()
	span := trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{0xab, 15: 0xcd}, SpanID: trace.SpanID{0x12, 7: 0x34}, TraceFlags: trace.FlagsSampled,
	})
	ctx := trace.ContextWithSpanContext(context.Background(), span)
	c := newClient(t, Config{URL: shop.URL})
	if _, err := c.Fulfil(ctx, order.Approval{Order: testOrder(), Handling: order.HandlingStandard, Attempt: 1}); err != nil {
		t.Fatal(err)
	}
	want := "00-ab0000000000000000000000000000cd-1200000000000034-01"
	if got := (<-headers).Get("traceparent"); got != want {
		t.Errorf("traceparent: got %q, want %q", got, want)
	}
}

// TestShopIsToldEveryField reads the order back from the message.
func TestShopIsToldEveryField(t *testing.T) {
	t.Parallel()
	full := ordertest.Order(t, ordertest.Full)
	req, err := newClient(t, Config{URL: "http://shop.example"}).request(t.Context(), time.Now(), order.Approval{Order: full, Attempt: 1})
	if err != nil {
		t.Fatal(err)
	}
	var told struct {
		Data struct{ Order order.Order }
	}
	if err := json.NewDecoder(req.Body).Decode(&told); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(full, told.Data.Order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}
