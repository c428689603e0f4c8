package fulfilment

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"go.opentelemetry.io/otel/propagation"

	"orderprocessor/internal/order"
)

const (
	// approved is the type of the only message there is.
	approved = "order.approved"
	// userAgent names the service in the shop's access log.
	userAgent = "orderprocessor"
	// secretPrefix marks a Standard Webhooks secret for people and scanners.
	secretPrefix = "whsec_"
	// maxSecrets is two, the old and the new one while a secret is replaced.
	maxSecrets = 2
)

// message is the body of a call, in the form that Standard Webhooks proposes.
type message struct {
	Type      string `json:"type"`
	Timestamp string `json:"timestamp"` // when the order was approved, the same in every call
	Data      data   `json:"data"`
}

type data struct {
	Order    order.View     `json:"order"`
	Handling order.Handling `json:"handling"`
	Attempt  int            `json:"attempt"`
}

// newSigners returns one signer for each secret in text, none for an empty text.
func newSigners(text string) (signers []*standardwebhooks.Webhook, err error) {
	if text == "" {
		return nil, nil
	}
	secrets := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' })
	if len(secrets) == 0 {
		return nil, errNoKey
	}
	if len(secrets) > maxSecrets {
		return nil, fmt.Errorf("fulfilment has more than %d secrets", maxSecrets)
	}
	for _, secret := range secrets {
		signer, err := newSigner(secret)
		if err != nil {
			return nil, err
		}
		signers = append(signers, signer)
	}
	return signers, nil
}

var errNoKey = errors.New("fulfilment secret holds no key")

// newSigner refuses a prefix alone: a signature with an empty key would be worthless.
func newSigner(secret string) (*standardwebhooks.Webhook, error) {
	if strings.TrimSpace(strings.TrimPrefix(secret, secretPrefix)) == "" {
		return nil, errNoKey
	}
	signer, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return nil, errors.New("fulfilment secret is not valid base64")
	}
	return signer, nil
}

// request builds one call. Key and message are the same for every attempt, except for
// the attempt's number; webhook-timestamp and signature are new.
func (c *Client) request(ctx context.Context, now time.Time, a order.Approval) (*http.Request, error) {
	body, err := json.Marshal(message{
		approved, order.FormatTime(a.ApprovedAt), data{a.Order.View(), a.Handling, a.Attempt},
	})
	if err != nil {
		return nil, fmt.Errorf("encode order for fulfilment: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("fulfilment URL is malformed") // New has checked it; the cause would quote it
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Idempotency-Key", a.Order.ID)
	if c.user != nil {
		password, _ := c.user.Password()
		req.SetBasicAuth(c.user.Username(), password)
	}
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(req.Header))
	return req, c.sign(req.Header, webhookID(a.Order.ID), now, body)
}

// webhookID returns an order's id without dots. Dots separate the parts of the signed
// text, id.timestamp.body, so a dot in the id would let one call's parts be read as
// another's. Ids contain no percent sign, so different ids stay different.
func webhookID(id string) string { return strings.ReplaceAll(id, ".", "%2E") }

// sign sets the headers of Standard Webhooks. The signature is a list with one of each
// secret: a shop that knows one of the secrets finds its own.
func (c *Client) sign(header http.Header, id string, now time.Time, body []byte) error {
	header.Set(standardwebhooks.HeaderWebhookID, id)
	header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	signatures := make([]string, 0, maxSecrets)
	for _, signer := range c.signers {
		signature, err := signer.Sign(id, now, body)
		if err != nil {
			return fmt.Errorf("sign order for fulfilment: %w", err)
		}
		signatures = append(signatures, signature)
	}
	if len(signatures) > 0 {
		header.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	}
	return nil
}
