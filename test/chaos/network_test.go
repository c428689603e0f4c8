package chaos_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// network is the way between programs and Redis, with Toxiproxy in it. Behind that, the
// proxy of this package leads to the socket of Redis, which Toxiproxy cannot use.
type network struct {
	t     *testing.T
	toxic *toxiproxy.Proxy
}

// openNetwork opens the way to the Redis of that URL. It ends with the test.
func openNetwork(t *testing.T, redisURL string) *network {
	t.Helper()
	addr := openProxy(t, redisURL, func(message) *trap { return nil })
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	n := &network{t: t, toxic: toxiproxy.NewProxy(server, t.Name(), "127.0.0.1:0", addr)}
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

// severed are connections that end with their first message: one in ten loses the
// command, one in ten the reply.
var severed = []string{
	`{"name":"command","type":"reset_peer","stream":"upstream","toxicity":0.1,"attributes":{"timeout":5}}`,
	`{"name":"reply","type":"reset_peer","stream":"downstream","toxicity":0.1,"attributes":{"timeout":5}}`,
}

// TestConnectionsBreak closes all connections to Redis again and again, and lets
// some of those that follow break at once.
func TestConnectionsBreak(t *testing.T) {
	s := open(t, "c connections to Redis break")
	n := openNetwork(t, s.redis.URL())
	s.redisURL = n.URL()
	s.addAPIs(1)
	s.addWorkers(2)
	for _, toxic := range severed {
		n.addToxic(toxic)
	}
	s.whileSubmitting(8, shortOrLong(50, 200), mixed, func() {
		for range shortOrLong(20, 200) {
			s.awaitCalls(1 + s.rand.IntN(10))
			s.faults.Add(1)
			n.closeAll()
		}
	})
	n.restore()
	s.conclude().checkKinds("200", "201", "503")
}

// closeAll closes all connections and accepts new ones, with the same faults.
func (n *network) closeAll() {
	n.t.Helper()
	n.toxic.Stop()
	if err := n.toxic.Start(); err != nil && !errors.Is(err, toxiproxy.ErrProxyAlreadyStarted) {
		n.t.Fatal(err)
	}
}

// TestSlowNetwork delays everything on the way to Redis, and then narrows it.
// Orders are slower, and that is all.
func TestSlowNetwork(t *testing.T) {
	s := open(t, "d the way to Redis is slow")
	n := openNetwork(t, s.redis.URL())
	s.redisURL = n.URL()
	s.addAPIs(1)
	s.addWorkers(2)
	sent := 0
	zerolog.SetGlobalLevel(zerolog.Disabled) // Toxiproxy logs every connection that it narrows
	for _, toxic := range []string{
		`{"name":"far","type":"latency","stream":"upstream","attributes":{"latency":200}}`,
		`{"name":"narrow","type":"bandwidth","stream":"upstream","attributes":{"rate":20}}`,
	} {
		n.addToxic(toxic)
		s.faults.Add(1)
		begun, first := time.Now(), sent
		sent += s.whileSubmitting(8, 20, func(n int) submission { return mixed(first + n) }, func() { s.awaitCalls(shortOrLong(40, 400)) })
		t.Logf("%d orders in %v with %s", sent-first, time.Since(begun).Round(time.Second), toxic)
		n.restore()
	}
	a := s.conclude()
	a.checkKinds("200", "201", "503")
	a.checkAttempts()
}
