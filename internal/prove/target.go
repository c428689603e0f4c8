package prove

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"orderprocessor/internal/client"
	"orderprocessor/internal/history"
	"orderprocessor/internal/order"
)

// dueAfter is how long after they are made scheduled orders begin.
const dueAfter = 2 * time.Second

// submission is an order as it is sent. It names its priority, and its amount has two
// decimals, as package history wants it.
type submission struct {
	ID        string      `json:"id,omitempty"`
	Amount    json.Number `json:"amount"`
	Items     []string    `json:"items"`
	Customer  string      `json:"customer"`
	Address   string      `json:"address"`
	Priority  int         `json:"priority"`
	Notes     string      `json:"notes"`
	ProcessAt string      `json:"process_at,omitempty"`
}

func (s submission) json() []byte {
	text, _ := json.Marshal(s) //nolint:errchkjson // it has no types that can fail
	return text
}

// kind is what is done to an order.
type kind int

const (
	plain    kind = iota
	byKey         // it has no id, but an Idempotency-Key
	later         // it is scheduled, and often cancelled
	rejected      // the builtin rules reject it, and it is often retried
)

// kinds are those of successive orders.
//
//nolint:gochecknoglobals // never changed
var kinds = []kind{plain, later, rejected, byKey, plain, later, plain, rejected}

// target is one order, which the clients call.
type target struct {
	kind
	name     string // its id, or its key
	due      time.Time
	ordinary []byte // its submission
	other    []byte // the same with other content
	begun    atomic.Bool

	mu       sync.Mutex
	id       string         // empty until it is known
	submit   bool           // a submission may have been accepted
	final    history.Answer // to the last read
	timeline []client.Event
	problem  error // why the timeline could not be read
}

func (r *run) makeTargets() {
	for n := range r.Orders {
		r.targets = append(r.targets, sync.OnceValue(func() *target { return r.newTarget(n) }))
	}
	for n := range max(3, r.Orders/callsPerOrder) {
		r.wrong = append(r.wrong, r.newWrongOrder(n))
	}
}

// sample returns an order whose amount, from 1.00 to 99.99, no builtin rule minds.
func (r *run) sample(id string, n int) submission {
	return submission{
		ID: id, Amount: json.Number(order.Cents(int64(100 + n%9900)).String()), Items: []string{"tea", "cups"},
		Customer: r.customer(), Address: "Apartment 12, 221 Example Road", Priority: 1 + n%3,
		Notes: "Sent by orderctl prove; there is nothing to deliver.",
	}
}

func (r *run) newTarget(n int) *target {
	name := fmt.Sprintf("%s%06d", r.Prefix(), n+1)
	t := &target{kind: kinds[n%len(kinds)], name: name, id: name}
	s := r.sample(name, n)
	switch t.kind {
	case byKey:
		t.id, s.ID = "", ""
	case later:
		t.due = time.Now().Add(dueAfter)
		s.ProcessAt = order.FormatTime(t.due)
	case rejected:
		s.Amount = "10500.00" // above the default of ORDERS_MAX_AMOUNT
	case plain:
	}
	t.ordinary = s.json()
	s.Items = []string{"coffee"}
	t.other = s.json()
	return t
}

// draw returns the next call and its body.
func (t *target) draw(random *rand.Rand, may rights) (history.Call, []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	call := history.Call{Op: history.Submit, Order: t.name}
	if t.kind != byKey {
		call.ID = t.id
	}
	cancels, retries := 2, 4
	switch t.kind {
	case later:
		cancels = 10
	case rejected:
		retries = 16
	case plain, byKey:
	}
	n := random.IntN(100)
	switch {
	case t.begun.CompareAndSwap(false, true), n < 18:
		return call, t.ordinary
	case n < 26:
		return call, t.other
	case t.id == "", may.read != nil: // nothing can be read
		return call, t.ordinary
	}
	call.ID, call.Op = t.id, history.Get
	switch {
	case t.kind == byKey: // an id that the API made is only read
	case n < 26+cancels && may.submit == nil:
		call.Op = history.Cancel
	case n >= 50 && n < 50+retries && may.admin == nil:
		call.Op = history.Retry
	case n >= 70 && n < 72 && may.admin == nil:
		call.Op = history.Release
	case n == 72 && may.admin == nil:
		call.Op = history.Reject
	}
	return call, nil
}

// answered keeps what an answer says about the order.
func (t *target) answered(call history.Call, a history.Answer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if call.Op == history.Submit && a.Result != history.Refused && a.Result != history.OtherContent {
		t.submit = true
	}
	if t.id == "" && (a.Result == history.Created || a.Result == history.Replayed) {
		t.id = a.ID
	}
}
