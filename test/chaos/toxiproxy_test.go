package chaos_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
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

// restore removes all faults.
func (n *network) restore() {
	n.t.Helper()
	n.toxic.Toxics.ResetToxics(n.t.Context())
	if err := n.toxic.Start(); err != nil && !errors.Is(err, toxiproxy.ErrProxyAlreadyStarted) {
		n.t.Fatal(err)
	}
}
