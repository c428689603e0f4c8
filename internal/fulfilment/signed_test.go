package fulfilment

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"pgregory.net/rapid"

	"orderprocessor/internal/order"
)

// idChars are those of an id and of what ids may come to have, dots above all.
const idChars = "....aZ09_-~:/#=@+"

// made is a call as it would be sent.
type made struct {
	id, timestamp, body string
	header              http.Header
}

// signed is the text that the signature is made of, as every verifier builds it.
func (m made) signed() string { return m.header.Get("webhook-id") + "." + m.timestamp + "." + m.body }

func makeCall(t *rapid.T, c *Client, id string, now time.Time) made {
	o := testOrder()
	o.ID = id
	req, err := c.request(t.Context(), now, order.Approval{
		Order: o, Handling: order.HandlingStandard, Attempt: 1, ApprovedAt: approvedAt,
	})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		t.Fatal(err)
	}
	return made{id, req.Header.Get("webhook-timestamp"), string(body), req.Header}
}

// TestNoSignaturePassesForAnotherCalls holds that the signed text says which order
// it is of: its parts are found again whatever the id is, so that no two calls have
// the same, and none could be read as a call of another order, time or body.
func TestNoSignaturePassesForAnotherCalls(t *testing.T) {
	t.Parallel()
	c := newClient(t, Config{URL: "http://shop.example", Secret: testSecret})
	verifier, err := standardwebhooks.NewWebhook(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	ids := rapid.StringOfN(rapid.RuneFrom([]rune(idChars)), 1, 64, -1)
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "now"), 0)
		call := makeCall(t, c, ids.Draw(t, "id"), now)

		sentID, rest, _ := strings.Cut(call.signed(), ".")
		timestamp, body, _ := strings.Cut(rest, ".")
		want := []string{call.id, strconv.FormatInt(now.Unix(), 10), call.body}
		if diff := cmp.Diff(want, []string{strings.ReplaceAll(sentID, "%2E", "."), timestamp, body}); diff != "" {
			t.Errorf("the parts of the signed text (-call +read):\n%s", diff)
		}
		if err := verifier.VerifyIgnoringTimestamp([]byte(call.body), call.header); err != nil {
			t.Errorf("signature: %v", err)
		}
		if call.header.Get("Idempotency-Key") != call.id {
			t.Errorf("the key of %s is %s", call.id, call.header.Get("Idempotency-Key"))
		}

		other := ids.Draw(t, "other id")
		if other != call.id && webhookID(other) == webhookID(call.id) {
			t.Errorf("%s and %s have the same webhook-id", call.id, other)
		}
		// What a thief of this call could make of it: the same signed text, cut elsewhere.
		for i := range call.signed() {
			checkShifted(t, verifier, call, i)
		}
	})
}

// TestEachSecretSigns holds that a shop with any one of the worker's secrets accepts the
// call, and a shop with another one does not.
func TestEachSecretSigns(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		secrets                string
		oldAccepts, newAccepts bool
	}{
		"old":         {testSecret, true, false},
		"old and new": {testSecret + " " + newSecret, true, true},
		"new and old": {newSecret + "  " + testSecret, true, true},
		"new":         {newSecret, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, Config{URL: "http://shop.example", Secret: row.secrets})
			req, err := c.request(t.Context(), time.Now(), approval())
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(req.Body)
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, secret := range strings.Fields(row.secrets) {
				want = append(want, signatureOf(t, secret, req.Header, body))
			}
			if diff := cmp.Diff([]string{strings.Join(want, " ")}, req.Header.Values("webhook-signature")); diff != "" {
				t.Errorf("webhook-signature (-want +got):\n%s", diff)
			}
			for secret, accepts := range map[string]bool{testSecret: row.oldAccepts, newSecret: row.newAccepts} {
				shop, _ := standardwebhooks.NewWebhook(secret)
				if err := shop.Verify(body, req.Header); (err == nil) != accepts {
					t.Errorf("a shop with %s: %v", secret, err)
				}
			}
		})
	}
}

// signatureOf signs a call again with one secret.
func signatureOf(t *testing.T, secret string, header http.Header, body []byte) string {
	t.Helper()
	signer, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	seconds, err := strconv.ParseInt(header.Get("webhook-timestamp"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := signer.Sign(header.Get("webhook-id"), time.Unix(seconds, 0), body)
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

// checkShifted holds that the signature fits no call whose webhook-id ends at i and
// is one that an order could have: without a dot.
func checkShifted(t *rapid.T, verifier *standardwebhooks.Webhook, call made, i int) {
	id, rest := call.signed()[:i], call.signed()[i:]
	parts := strings.SplitN(rest, ".", 3)
	if len(parts) != 3 || parts[0] != "" || id == call.header.Get("webhook-id") {
		return
	}
	shifted := http.Header{}
	shifted.Set("webhook-id", id)
	shifted.Set("webhook-timestamp", parts[1])
	shifted.Set("webhook-signature", call.header.Get("webhook-signature"))
	if !strings.Contains(id, ".") && verifier.VerifyIgnoringTimestamp([]byte(parts[2]), shifted) == nil {
		t.Errorf("the signature of %s passes for one of %s", call.id, id)
	}
}

func TestWebhookIDKeepsWhatHasNoDot(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{"ord_1-A": "ord_1-A", "a.b": "a%2Eb", "...": "%2E%2E%2E", "a/b~:#=@+c": "a/b~:#=@+c", "1.1795521600": "1%2E1795521600"} {
		if got := webhookID(id); got != want {
			t.Errorf("webhookID(%q): got %q, want %q", id, got, want)
		}
	}
}

// TestMessageHasTheTimeOfTheApproval holds that every call of an order has the same
// timestamp in its body, in UTC to the microsecond, whenever it is made.
func TestMessageHasTheTimeOfTheApproval(t *testing.T) {
	t.Parallel()
	c := newClient(t, Config{URL: "http://shop.example", Secret: testSecret})
	zone := time.FixedZone("", 2*60*60)
	for approved, want := range map[time.Time]string{
		time.Date(2026, 3, 1, 14, 0, 0, 0, zone):               "2026-03-01T12:00:00.000000Z",
		time.Date(2026, 3, 1, 12, 0, 0, 120_000_000, time.UTC): "2026-03-01T12:00:00.120000Z",
		time.Date(2026, 3, 1, 12, 0, 0, 999_999_999, time.UTC): "2026-03-01T12:00:00.999999Z",
		{}: "0001-01-01T00:00:00.000000Z",
	} {
		for _, now := range []time.Time{approved, approved.Add(time.Hour)} {
			a := approval()
			a.ApprovedAt = approved
			req, err := c.request(t.Context(), now, a)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(req.Body)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(body), fmt.Sprintf(`"timestamp":%q`, want)) {
				t.Errorf("approved at %v, called at %v: %s", approved, now, body)
			}
			if got := req.Header.Get("webhook-timestamp"); got != strconv.FormatInt(now.Unix(), 10) {
				t.Errorf("called at %v: webhook-timestamp %s", now, got)
			}
		}
	}
}
