package rules

import (
	"cmp"
	"time"

	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"orderprocessor/internal/order"
)

// Facts are what rules may ask about an order.
type Facts struct { //nolint:recvcheck // facts are used by value, and not copied for each fact
	// Order is the order itself.
	Order order.Order
	// CreatedAt is when it was accepted.
	CreatedAt time.Time
	// Currency is the currency of an order that names none.
	Currency order.Currency
	// Customer is what is known about its customer. It may be zero for a set that does
	// not ask: see Set.AsksCustomer.
	Customer order.CustomerFacts
}

func (f *Facts) currency() order.Currency { return cmp.Or(f.Order.Currency, f.Currency) }

// quantity is the sum of the items' quantities.
func (f *Facts) quantity() int64 {
	sum := int64(0)
	for i := range f.Order.Items {
		sum += (*item)(&f.Order.Items[i]).quantity()
	}
	return sum
}

// subject is an order while rules ask about it. It converts each fact at most once, and
// is not safe for concurrent use.
type subject struct {
	Facts
	known [subjectFields]ref.Val // by the number of the field
}

// ResolveName implements interpreter.Activation. All objects of the language are the
// subject; their fields differ.
func (s *subject) ResolveName(name string) (any, bool) {
	switch name {
	case orderName, customerName, moneyName:
		return s, true
	default:
		return nil, false
	}
}

// Parent implements interpreter.Activation.
func (*subject) Parent() interpreter.Activation { return nil }

// View is an order's facts exactly as rules see them, for JSON.
type View struct {
	Order    OrderView    `json:"order"`
	Customer CustomerView `json:"customer"`
}

// OrderView is what rules see of an order. Amounts are in minor units of its currency.
type OrderView struct {
	ID        string            `json:"id"`
	Amount    int64             `json:"amount"`
	Currency  order.Currency    `json:"currency"`
	Items     []ItemView        `json:"items"`
	Quantity  int64             `json:"quantity"`
	Customer  string            `json:"customer"`
	Address   string            `json:"address"`
	Country   order.Country     `json:"country"`
	Priority  order.Priority    `json:"priority"`
	Notes     string            `json:"notes"`
	Metadata  map[string]string `json:"metadata"`
	CreatedAt order.Timestamp   `json:"created_at"`
}

// ItemView is what rules see of an item.
type ItemView struct {
	Name      string `json:"name"`
	SKU       string `json:"sku"`
	Quantity  int64  `json:"quantity"`
	UnitPrice int64  `json:"unit_price"`
}

// CustomerView is what rules see of an order's customer.
type CustomerView struct {
	Orders24h int64 `json:"orders_24h"`
	Amount24h int64 `json:"amount_24h"`
}

// View returns the facts as rules see them. What the client did not send is empty, and
// the view shares the order's metadata.
func (f Facts) View() View {
	o := f.Order
	items := make([]ItemView, len(o.Items))
	for i := range o.Items {
		seen := (*item)(&o.Items[i])
		items[i] = ItemView{seen.Name, seen.SKU, seen.quantity(), seen.unitPrice()}
	}
	metadata := o.Metadata
	if metadata == nil {
		metadata = map[string]string{}
	}
	return View{
		Order: OrderView{
			o.ID, o.Amount.Minor, f.currency(), items, f.quantity(), o.Customer, o.Address, o.Country,
			o.Priority, o.Notes, metadata,
			order.Timestamp{Time: f.CreatedAt},
		},
		Customer: CustomerView(f.Customer),
	}
}
