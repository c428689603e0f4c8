package load

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"orderprocessor/internal/order"
)

const (
	// orderBytes is a bit more than one order takes.
	orderBytes = 400
	// defaultCustomers is how many customers there are unless a load sets it.
	defaultCustomers = 1000
	// rejectedAmount is above the default of ORDERS_MAX_AMOUNT.
	rejectedAmount = "10500.00"
	// The other amounts, in cents, are from 1.00 to 99.99: far below the default of
	// ORDERS_HIGH_VALUE_ABOVE, so that the priority alone chooses the queue.
	lowestAmount, amounts = 100, 9900
)

// Orders makes submissions of about 300 bytes of JSON. It is safe for concurrent
// use.
type Orders struct {
	// Run begins the ids, after "load-". Without a run the server makes the ids.
	Run string
	// Customers is how many customers there are; 0 means 1,000.
	Customers int
	// RejectEvery makes one of so many orders exceed the maximum amount; 0 makes
	// none. That order has high priority if there are such orders, as its amount
	// takes it to the critical queue anyway.
	RejectEvery int
	// Detailed gives orders the further fields: currency, country, metadata, and items with
	// number, quantity and price. They have about 200 bytes more.
	Detailed bool

	priorities []order.Priority // of one round of orders
	rejected   int              // the number of the first that exceeds the amount
}

// NewOrders returns orders whose priorities take them to the queues of the mix.
func NewOrders(m Mix) Orders {
	o := Orders{priorities: m.round()}
	o.rejected = max(0, slices.Index(o.priorities, order.PriorityHigh))
	return o
}

// NewRun returns a name that is unique and sorts by time.
func NewRun() string {
	return time.Now().UTC().Format("20060102-150405") + "-" + strings.ToLower(rand.Text()[:8])
}

// Append appends the n-th submission, counted from 0, without a line end.
func (o Orders) Append(dst []byte, n int) []byte {
	dst = append(dst, '{')
	if o.Run != "" {
		dst = fmt.Appendf(dst, `"id":"load-%s-%010d",`, o.Run, n+1)
	}
	customers := o.Customers
	if customers == 0 {
		customers = defaultCustomers
	}
	return fmt.Appendf(dst, `"amount":%s,%s,`+
		`"customer":"load-%07d@example.com","address":"Apartment 12, 221 Example Road\n1011 Sampleton\nNetherlands",`+
		`"priority":%d,"notes":"Sent by a load test to see what the system bears; there is nothing to deliver."}`,
		o.amount(n), o.items(), n%customers, o.priorities[n%len(o.priorities)])
}

// items are the items, and the further fields of a detailed order.
func (o Orders) items() string {
	if !o.Detailed {
		return `"items":["espresso machine","coffee beans 1 kg","paper filters"]`
	}
	return `"currency":"USD","country":"NL","metadata":{"channel":"web","tier":"gold"},"items":[` +
		`{"name":"espresso machine","sku":"EM-1","unit_price":49.90},` +
		`{"name":"coffee beans 1 kg","sku":"CB-7","quantity":2,"unit_price":18.50},` +
		`{"name":"paper filters","sku":"PF-100","quantity":3,"unit_price":4.25}]`
}

func (o Orders) amount(n int) string {
	if o.RejectEvery > 0 && n%o.RejectEvery == o.rejected {
		return rejectedAmount
	}
	return order.Cents(int64(lowestAmount + n%amounts)).String()
}

// targeter makes the requests of a plan, each with orders of its own.
func (p Plan) targeter() vegeta.Targeter {
	path, kind := "/orders", "application/json"
	if p.size() > 1 {
		path, kind = "/orders/batch", "application/x-ndjson"
	}
	header := http.Header{"Content-Type": {kind}}
	if p.Key != "" {
		header.Set("Authorization", "Bearer "+p.Key)
	}
	url, size := strings.TrimSuffix(p.URL, "/")+path, p.size()
	var made atomic.Int64
	return func(t *vegeta.Target) error {
		last := int(made.Add(int64(size)))
		body := make([]byte, 0, size*orderBytes)
		for n := last - size; n < last; n++ {
			body = append(p.Orders.Append(body, n), '\n')
		}
		*t = vegeta.Target{Method: http.MethodPost, URL: url, Header: header, Body: body}
		return nil
	}
}
