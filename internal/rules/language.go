package rules

import (
	"fmt"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"orderprocessor/internal/order"
)

// The names that facts begin with, and the types of the objects.
const (
	orderName    = "order"
	customerName = "customer"

	orderType    = "Order"
	itemType     = "Item"
	customerType = "Customer"
)

// subjectFields is how many fields order and customer have.
const subjectFields = 14

// fact is a field of an object. What the client did not send reads as zero.
type fact[T any] struct {
	name string
	kind *types.Type
	get  func(T) ref.Val
	sent func(T) bool // what has() says; nil means always true
}

func orderFacts() []fact[*subject] {
	return []fact[*subject]{
		{"id", types.StringType, func(s *subject) ref.Val { return types.String(s.Order.ID) }, nil},
		{"amount", types.IntType, func(s *subject) ref.Val { return types.Int(s.Order.Amount.Minor) }, nil},
		{"currency", types.StringType, func(s *subject) ref.Val { return types.String(s.currency()) }, nil},
		{"items", types.NewListType(types.NewObjectType(itemType)), func(s *subject) ref.Val { return newItems(s.Order.Items) }, nil},
		{"quantity", types.IntType, func(s *subject) ref.Val { return types.Int(s.quantity()) }, nil},
		{"customer", types.StringType, func(s *subject) ref.Val { return types.String(s.Order.Customer) }, nil},
		{"address", types.StringType, func(s *subject) ref.Val { return types.String(s.Order.Address) }, func(s *subject) bool { return s.Order.Address != "" }},
		{"country", types.StringType, func(s *subject) ref.Val { return types.String(s.Order.Country) }, func(s *subject) bool { return s.Order.Country != "" }},
		{"priority", types.IntType, func(s *subject) ref.Val { return types.Int(s.Order.Priority) }, nil},
		{"notes", types.StringType, func(s *subject) ref.Val { return types.String(s.Order.Notes) }, func(s *subject) bool { return s.Order.Notes != "" }},
		{"metadata", types.NewMapType(types.StringType, types.StringType), func(s *subject) ref.Val { return newMetadata(s.Order.Metadata) }, func(s *subject) bool { return len(s.Order.Metadata) > 0 }},
		{"created_at", types.TimestampType, func(s *subject) ref.Val { return types.Timestamp{Time: s.CreatedAt.UTC()} }, nil},
	}
}

func customerFacts() []fact[*subject] {
	return []fact[*subject]{
		{"orders_24h", types.IntType, func(s *subject) ref.Val { return types.Int(s.Customer.Orders24h) }, nil},
		{"amount_24h", types.IntType, func(s *subject) ref.Val { return types.Int(s.Customer.Amount24h) }, nil},
	}
}

func itemFacts() []fact[*item] {
	return []fact[*item]{
		{"name", types.StringType, func(i *item) ref.Val { return types.String(i.Name) }, nil},
		{"sku", types.StringType, func(i *item) ref.Val { return types.String(i.SKU) }, func(i *item) bool { return i.SKU != "" }},
		{"quantity", types.IntType, func(i *item) ref.Val { return types.Int(i.quantity()) }, nil},
		{"unit_price", types.IntType, func(i *item) ref.Val { return types.Int(i.unitPrice()) }, func(i *item) bool { return i.UnitPrice != nil }},
	}
}

// object is a type of the language: its fields by their names.
type object struct {
	names  []string // in the order of the documentation
	fields map[string]*types.FieldType
}

func newObject[T any](facts []fact[T], reader func(fact[T]) ref.FieldGetter) object {
	o := object{fields: make(map[string]*types.FieldType, len(facts))}
	for _, f := range facts {
		o.names = append(o.names, f.name)
		o.fields[f.name] = &types.FieldType{Type: f.kind, GetFrom: reader(f), IsSet: func(target any) bool {
			return f.sent == nil || f.sent(target.(T)) //nolint:forcetypeassert // the checker has compared the types
		}}
	}
	return o
}

// objects are the types of the language. It extends those of CEL.
type objects struct {
	types.Provider
	all map[string]object
}

func newObjects(base types.Provider) *objects {
	number := 0
	remembered := func(f fact[*subject]) ref.FieldGetter {
		n := number
		number++
		return func(target any) (any, error) { return target.(*subject).fact(n, f.get), nil } //nolint:forcetypeassert // the checker has compared the types
	}
	read := func(f fact[*item]) ref.FieldGetter {
		return func(target any) (any, error) { return f.get(target.(*item)), nil } //nolint:forcetypeassert // the checker has compared the types
	}
	return &objects{base, map[string]object{
		orderType:    newObject(orderFacts(), remembered),
		customerType: newObject(customerFacts(), remembered),
		itemType:     newObject(itemFacts(), read),
	}}
}

// fact returns the value of the field with a number, which get reads the first time.
func (s *subject) fact(number int, get func(*subject) ref.Val) ref.Val {
	if s.known[number] == nil {
		s.known[number] = get(s)
	}
	return s.known[number]
}

// FindStructType implements types.Provider.
func (o *objects) FindStructType(name string) (*types.Type, bool) {
	if _, found := o.all[name]; found || name == moneyType {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return o.Provider.FindStructType(name)
}

// FindStructFieldNames implements types.Provider.
func (o *objects) FindStructFieldNames(name string) ([]string, bool) {
	if found, ok := o.all[name]; ok {
		return found.names, true
	}
	return o.Provider.FindStructFieldNames(name)
}

// FindStructFieldType implements types.Provider.
func (o *objects) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	if name == moneyType {
		return moneyField(field)
	}
	if found, ok := o.all[name]; ok {
		f, exists := found.fields[field]
		return f, exists
	}
	return o.Provider.FindStructFieldType(name, field)
}

// describe lists the fields of an object for a sentence.
func (o *objects) describe(name string) string {
	return fmt.Sprintf("%s has %s", map[string]string{orderType: "order", customerType: "customer", itemType: "an item"}[name],
		strings.Join(o.all[name].names, ", "))
}

// sizes are the largest sizes of facts by their paths: characters of a text, members of a
// list or a map. A path that ends with a dot is that of everything within: the library
// takes one field of an item for another when an expression has several.
func sizes() map[string]uint64 {
	return map[string]uint64{
		"order.id":        order.MaxIDChars,
		"order.currency":  uint64(len(order.DefaultCurrency)),
		"order.items":     order.MaxItems,
		"order.items.":    max(order.MaxItemChars, order.MaxSKUChars),
		"order.customer":  order.MaxCustomerChars,
		"order.address":   order.MaxAddressChars,
		"order.country":   uint64(len("DE")),
		"order.notes":     order.MaxNotesChars,
		"order.metadata":  order.MaxMetadataKeys,
		"order.metadata.": max(order.MaxMetadataKeyChars, order.MaxMetadataValueChars),
	}
}
