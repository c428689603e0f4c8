package fulfilment

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

// TestDocumentedCall holds the call that docs/FULFILMENT.md shows to the one that is
// made of the same order, with the same secret at the same time.
func TestDocumentedCall(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/FULFILMENT.md")
	if err != nil {
		t.Fatal(err)
	}
	call := regexp.MustCompile("(?s)```http\n(.*?)\n```").FindStringSubmatch(string(text))[1]
	secret := regexp.MustCompile("`(whsec_[A-Za-z0-9+/=]+)`").FindStringSubmatch(string(text))[1]
	head, body, _ := strings.Cut(call, "\n\n")
	shown, err := http.ReadRequest(bufio.NewReader(strings.NewReader(strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	sent, err := strconv.ParseInt(shown.Header.Get("webhook-timestamp"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	var message struct{ Timestamp time.Time }
	if err := json.Unmarshal([]byte(body), &message); err != nil {
		t.Fatal(err)
	}
	o, err := order.New(order.Submission{
		ID: "order-1", Amount: "1500.50", Items: order.SubmittedNames("laptop", "mouse"), Customer: "jane@example.com",
		Address: "1 Example Road", Priority: "1",
	}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(Config{URL: "http://shop.example.com/orders", Secret: secret, Timeout: time.Second, MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	made, err := c.request(t.Context(), time.Unix(sent, 0).UTC(), order.Approval{
		Order: o, Handling: order.HandlingPriority, Attempt: 1, ApprovedAt: message.Timestamp,
	})
	if err != nil {
		t.Fatal(err)
	}
	sentBody, err := io.ReadAll(made.Body)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(body, string(sentBody)); diff != "" {
		t.Errorf("the body (-document +call):\n%s", diff)
	}
	for name := range shown.Header {
		if diff := cmp.Diff(shown.Header[name], made.Header[name]); diff != "" {
			t.Errorf("%s (-document +call):\n%s", name, diff)
		}
	}
}
