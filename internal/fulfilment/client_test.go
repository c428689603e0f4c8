package fulfilment

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"orderprocessor/internal/order"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testSecret = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"
	newSecret  = "whsec_bmV3LXNlY3JldC1uZXctc2VjcmV0LW5ldyE="
	// longTimeout is far above what a call takes on a busy machine.
	longTimeout = 30 * time.Second
)

func testOrder() order.Order {
	return order.Order{
		ID: "ord_1", Content: order.Content{
			Amount: order.Cents(1250), Items: order.Names("tea & <milk>", "käse"), Customer: "ada@example.com",
			Address: "1 Main St\nTown", Priority: order.PriorityHigh,
		},
	}
}

// newClient fills in what the configuration leaves open and closes the client
// with the test.
func newClient(t *testing.T, cfg Config) *Client {
	t.Helper()
	if cfg.Timeout == 0 {
		cfg.Timeout = longTimeout
	}
	if cfg.MaxConns == 0 {
		cfg.MaxConns = 4
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.bodyTime = longTimeout // a busy machine may take long
	t.Cleanup(c.Close)
	return c
}

// newShop serves until the test ends. Each request's body is read before the
// handler runs: only then does net/http notice that the client went away.
func newShop(t *testing.T, handle func(w http.ResponseWriter, r *http.Request, body []byte)) *httptest.Server {
	t.Helper()
	shop := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read the call: %v", err)
		}
		handle(w, r, body)
	}))
	t.Cleanup(shop.Close)
	return shop
}

func fulfil(c *Client) (string, error) {
	return c.Fulfil(context.Background(), approval())
}

func approval() order.Approval {
	return order.Approval{Order: testOrder(), Handling: order.HandlingExpedited, Attempt: 3, ApprovedAt: approvedAt}
}

// approvedAt is on a Sunday at noon.
var approvedAt = time.Date(2026, time.March, 1, 12, 0, 0, 1_000, time.UTC)

func TestNewChecksItsConfig(t *testing.T) {
	t.Parallel()
	good := Config{URL: "https://shop.example/hook", Secret: testSecret, Timeout: time.Second, MaxConns: 1}
	tests := map[string]struct {
		change func(*Config)
		want   string
	}{
		"good":              {func(*Config) {}, ""},
		"bare base64":       {func(c *Config) { c.Secret = strings.TrimPrefix(testSecret, "whsec_") }, ""},
		"no secret":         {func(c *Config) { c.Secret = "" }, ""},
		"two secrets":       {func(c *Config) { c.Secret += "  " + newSecret }, ""},
		"IPv6 and port":     {func(c *Config) { c.URL = "http://[::1]:80/" }, ""},
		"secret not base64": {func(c *Config) { c.Secret = "whsec_s3cr3t!" }, "fulfilment secret is not valid base64"},
		"secret is empty":   {func(c *Config) { c.Secret = "whsec_" }, "fulfilment secret holds no key"},
		"secret is blank":   {func(c *Config) { c.Secret = "\n" }, "fulfilment secret holds no key"},
		"only blanks":       {func(c *Config) { c.Secret = "  " }, "fulfilment secret holds no key"},
		"second is empty":   {func(c *Config) { c.Secret += " whsec_" }, "fulfilment secret holds no key"},
		"three secrets":     {func(c *Config) { c.Secret += " " + newSecret + " " + newSecret }, "fulfilment has more than 2 secrets"},
		"no URL":            {func(c *Config) { c.URL = "" }, "fulfilment URL must begin with http:// or https://"},
		"other scheme":      {func(c *Config) { c.URL = "ftp://u:s3cr3t@h" }, "fulfilment URL must begin with http:// or https://"},
		"no host":           {func(c *Config) { c.URL = "http://:80/" }, "fulfilment URL must name a host"},
		"opaque":            {func(c *Config) { c.URL = "http:shop.example" }, "fulfilment URL must name a host"},
		"port of letters":   {func(c *Config) { c.URL = "http://u:s3cr3t/x@h/" }, "fulfilment URL is malformed"},
		"port out of range": {func(c *Config) { c.URL = "http://h:65536/" }, "fulfilment URL has a port out of range"},
		"no timeout":        {func(c *Config) { c.Timeout = 0 }, "fulfilment timeout must be above zero"},
		"no connections":    {func(c *Config) { c.MaxConns = 0 }, "fulfilment connections must be above zero"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := good
			tt.change(&cfg)
			if _, err := New(cfg); text(err) != tt.want {
				t.Errorf("New: got %q, want %q", text(err), tt.want)
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Over HTTP/2 one connection carries many calls at once.
func TestCallsShareOneConnectionOverHTTP2(t *testing.T) {
	t.Parallel()
	const calls = 20
	protocols := make(chan string, calls)
	shop := newShop(t, func(_ http.ResponseWriter, r *http.Request, _ []byte) { protocols <- r.Proto })
	shop.EnableHTTP2 = true
	shop.StartTLS()
	c := newClient(t, Config{URL: shop.URL, Secret: testSecret, MaxConns: 1})
	c.trust(shop)
	var callers sync.WaitGroup
	for range calls {
		callers.Go(func() {
			if _, err := fulfil(c); err != nil {
				t.Error(err)
				return
			}
			if got := <-protocols; got != "HTTP/2.0" {
				t.Errorf("protocol: got %s", got)
			}
		})
	}
	callers.Wait()
}

// trust has the client take the shop's own certificate for good.
func (c *Client) trust(shop *httptest.Server) {
	roots := x509.NewCertPool()
	roots.AddCert(shop.Certificate())
	c.transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}

func TestCloseTwiceThenCall(t *testing.T) {
	t.Parallel()
	shop := newShop(t, func(http.ResponseWriter, *http.Request, []byte) {})
	shop.Start()
	c := newClient(t, Config{URL: shop.URL})
	for range 2 {
		if _, err := fulfil(c); err != nil {
			t.Fatal(err)
		}
		c.Close()
		c.Close()
	}
}
