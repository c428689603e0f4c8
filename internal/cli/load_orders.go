package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"orderprocessor/internal/order"
)

// loadOrders makes the requests of one load, each with orders of its own. It is
// safe for concurrent use.
type loadOrders struct {
	run     string // tells this run's ids from all others
	size    int64  // orders of a request
	turns   []order.Priority
	request vegeta.Target // what all requests have in common
	made    atomic.Int64  // how many orders there were
}

func newLoadOrders(c *Client, p loadPlan) *loadOrders {
	o := &loadOrders{run: newRunName(), size: int64(p.size()), turns: p.mix.turns()}
	path, kind := []string{"orders"}, "application/json"
	if p.size() > 1 {
		path, kind = []string{"orders", "batch"}, "application/x-ndjson"
	}
	o.request = vegeta.Target{
		Method: http.MethodPost, URL: c.at(request{path: path}), Header: http.Header{"Content-Type": {kind}},
	}
	if c.key != "" {
		o.request.Header.Set("Authorization", "Bearer "+c.key)
	}
	return o
}

// next implements vegeta.Targeter.
func (o *loadOrders) next(t *vegeta.Target) error {
	last := o.made.Add(o.size)
	body := make([]byte, 0, o.size*loadOrderBytes)
	for i := last - o.size; i < last; i++ {
		text, err := json.Marshal(o.order(i))
		if err != nil {
			return err
		}
		body = append(append(body, text...), '\n')
	}
	*t = o.request
	t.Body = body
	return nil
}

// order returns the i-th order. A shop that is handed one can tell by its notes
// what it is.
func (o *loadOrders) order(i int64) sampleOrder {
	const lowest, steps = 100, 9900 // from 1.00 to 99.99: far from the bounds of the rules
	return sampleOrder{
		ID: fmt.Sprintf("load-%s-%010d", o.run, i+1), Amount: order.Money(lowest + i%steps),
		Items:    []string{"espresso machine", "coffee beans 1 kg", "paper filters"},
		Customer: fmt.Sprintf("load-%03d@example.com", i%loadCustomers),
		Address:  "12 Example Road, 1011 Sampleton",
		Priority: o.turns[i%int64(len(o.turns))],
		Notes:    "Sent by orderctl load to see what the system bears; there is nothing to deliver.",
	}
}
