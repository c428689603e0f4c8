package cli

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// attack sends the load and returns what was answered. It ends soon after ctx
// does.
func (l *load) attack(ctx context.Context, c *Client) *answers {
	patience, cancel := outlive(ctx, loadGrace)
	defer cancel()
	transport := l.plan.transport()
	defer transport.CloseIdleConnections()
	pace := newPace(l.plan, func(d time.Duration) error { return waitUntilDue(ctx, d) })
	attacker := vegeta.NewAttacker(
		vegeta.Client(&http.Client{
			Timeout: loadTimeout, Transport: &breakable{transport, patience}, CheckRedirect: c.http.CheckRedirect,
		}),
		vegeta.Workers(1), vegeta.MaxWorkers(l.plan.inFlight()),
	)
	orders := newLoadOrders(c, l.plan)
	answers := newAnswers(orders.run, l.plan, pace)
	bar := newProgress(l.Stderr, l.plan.requests()*orders.size, "sending")
	for result := range attacker.Attack(orders.next, pace, 0, "") {
		answers.add(result)
		_ = bar.Add64(orders.size)
	}
	_ = bar.Finish()
	return answers
}

// waitUntilDue spares requests that are late the way through a timer.
func waitUntilDue(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	return wait(ctx, d)
}

// outlive returns a context that ends so long after the one that is given.
func outlive(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	return longer, func() {
		stop()
		cancel()
	}
}

// transport keeps to HTTP/1.1, where a connection carries one request at a time,
// so that --connections means something.
func (p *loadPlan) transport() *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, Protocols: &protocols,
		MaxConnsPerHost: p.connections, MaxIdleConns: p.connections, MaxIdleConnsPerHost: p.connections,
	}
}

// breakable breaks requests off when a context ends, as those of vegeta have none.
type breakable struct {
	next  http.RoundTripper
	until context.Context
}

// RoundTrip implements http.RoundTripper. It reads the answer, so that nothing of
// the request is left when it returns.
func (b *breakable) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(b.until, cancel)()
	resp, err := b.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return nil, b.because(err)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
	_ = resp.Body.Close()
	if err != nil {
		return nil, b.because(err)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// because says why a request failed.
func (b *breakable) because(err error) error {
	if b.until.Err() != nil {
		return errInterrupted
	}
	return err
}
