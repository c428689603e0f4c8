// Package load sends orders to a system under measurement and says how that
// went: as fast as a fixed number of clients can, in batches, or at a constant
// rate.
//
// It receives an address and a kind of orders and hands on counts and
// latencies. It owns its connections while a call lasts and nothing after it.
package load

import (
	"fmt"
	"strconv"

	"orderprocessor/internal/order"
)

// The mix of a hundred mixed orders: 20 of high priority, 50 of medium and 30 of
// low. Two of them are above what the rules allow; they are of high priority, as
// their amount takes them to the critical queue anyway.
const (
	mixed       = 10 // orders after which priorities repeat
	highOfMixed = 2
	lowFrom     = 7
	rejectEvery = 50
	// rejectedAmount is above the default of ORDERS_MAX_AMOUNT.
	rejectedAmount = "10500.00"
	// amounts keeps all others below the default of ORDERS_HIGH_VALUE_ABOVE, so that
	// the priority alone chooses the queue.
	amounts = 90_000
)

// Orders makes submissions of about 300 bytes of JSON. The server gives them
// their ids. It is safe for concurrent use.
type Orders struct {
	// Priority is that of all of them; zero mixes 20 % high, 50 % medium and 30 %
	// low, and has the rules reject 2 %.
	Priority order.Priority
	// Customers is how many names there are; zero means 1,000.
	Customers int
}

// defaultCustomers is how many names there are where nobody says.
const defaultCustomers = 1000

// Append appends the n-th submission, without a line end.
func (o Orders) Append(dst []byte, n int) []byte {
	customers := o.Customers
	if customers == 0 {
		customers = defaultCustomers
	}
	return fmt.Appendf(dst, `{"amount":%s,"items":["Assam tea, first flush, 250 g","Cup with saucer, blue","Tea strainer"],`+
		`"customer":"customer-%07d@example.com","address":"Apartment 12, 221 Long Acre Road\nLondon\nWC2E 9LY\nUnited Kingdom",`+
		`"priority":%d,"notes":"Ring twice; leave it with the neighbour if nobody is in."}`,
		o.amount(n), n%customers, o.priority(n))
}

// Bodies returns the first n submissions.
func (o Orders) Bodies(n int) [][]byte {
	all := make([][]byte, n)
	for i := range all {
		all[i] = o.Append(nil, i)
	}
	return all
}

func (o Orders) amount(n int) string {
	if o.Priority == 0 && n%rejectEvery == 0 {
		return rejectedAmount
	}
	cents := n%amounts + 1000
	return strconv.Itoa(cents/100) + "." + fmt.Sprintf("%02d", cents%100)
}

func (o Orders) priority(n int) order.Priority {
	switch {
	case o.Priority != 0:
		return o.Priority
	case n%mixed < highOfMixed:
		return order.PriorityHigh
	case n%mixed >= lowFrom:
		return order.PriorityLow
	default:
		return order.PriorityMedium
	}
}
