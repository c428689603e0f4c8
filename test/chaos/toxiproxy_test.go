package chaos_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"orderprocessor/internal/redistest"
)

// network is the way between programs and Redis, with Toxiproxy in it. Programs
// use its URL; behind it, the proxy of this package leads to the socket of Redis, so that
// traps work as well.
type network struct {
	t     *testing.T
	inner *proxy
	toxic *toxiproxy.Proxy
}

// openNetwork opens the way to the Redis of that URL. It ends with the test.
func openNetwork(t *testing.T, redisURL string) *network {
	t.Helper()
	n := &network{t: t, inner: openProxy(t, redisURL, nil)}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	n.toxic = toxiproxy.NewProxy(server, t.Name(), "127.0.0.1:0", n.inner.addr)
	if err := n.toxic.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.toxic.Stop)
	return n
}

// URL is the address for programs, instead of that of Redis.
func (n *network) URL() string { return "redis://" + n.toxic.Listen }

// addToxic adds a toxic of Toxiproxy to one direction: upstream is towards Redis.
// The text is JSON as in its API.
func (n *network) addToxic(toxic string) {
	n.t.Helper()
	if _, err := n.toxic.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		n.t.Fatalf("add toxic %s: %v", toxic, err)
	}
}

// cut closes all connections and refuses new ones, until mend.
func (n *network) cut() { n.toxic.Stop() }

// restore removes all faults.
func (n *network) restore() {
	n.t.Helper()
	n.toxic.Toxics.ResetToxics(n.t.Context())
	if err := n.toxic.Start(); err != nil && !errors.Is(err, toxiproxy.ErrProxyAlreadyStarted) {
		n.t.Fatal(err)
	}
}

// TestNetwork delays, cuts and mends the way to Redis.
func TestNetwork(t *testing.T) {
	t.Parallel()
	n := openNetwork(t, redistest.Start(t).URL())
	c := dial(t, n.URL())
	ping := func() (time.Duration, error) {
		begun := time.Now()
		err := c.Ping(t.Context()).Err()
		return time.Since(begun), err
	}
	if _, err := ping(); err != nil {
		t.Fatalf("the way is closed: %v", err)
	}
	n.addToxic(`{"name":"slow","type":"latency","stream":"upstream","attributes":{"latency":300}}`)
	if took, err := ping(); err != nil || took < 300*time.Millisecond {
		t.Errorf("the slow way took %v, %v", took, err)
	}
	n.cut()
	if _, err := ping(); err == nil {
		t.Error("the way that is cut is open")
	}
	n.restore()
	if _, err := ping(); err != nil {
		t.Errorf("the mended way is closed: %v", err)
	}
}
