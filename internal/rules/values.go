package rules

import (
	"maps"
	"reflect"
	"slices"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"orderprocessor/internal/order"
)

// item is an item as CEL sees it.
type item order.Item

// newItems returns the items as CEL sees them. They share the memory of the order.
func newItems(items []order.Item) ref.Val {
	all := make([]ref.Val, len(items))
	for i := range items {
		all[i] = (*item)(&items[i])
	}
	return types.NewRefValList(types.DefaultTypeAdapter, all)
}

func (i *item) quantity() int64 { return int64(max(i.Quantity, 1)) }

func (i *item) unitPrice() int64 {
	if i.UnitPrice == nil {
		return 0
	}
	return i.UnitPrice.Minor
}

// ConvertToNative implements ref.Val. Nothing in the language converts an item.
func (i *item) ConvertToNative(reflect.Type) (any, error) { return *i, nil }

// ConvertToType implements ref.Val.
func (i *item) ConvertToType(ref.Type) ref.Val { return types.NoSuchOverloadErr() }

// Equal implements ref.Val. The parser refuses to compare items.
func (i *item) Equal(ref.Val) ref.Val { return types.NoSuchOverloadErr() }

// Type implements ref.Val.
func (*item) Type() ref.Type { return types.NewObjectType(itemType) }

// Value implements ref.Val.
func (i *item) Value() any { return i }

// metadata is the metadata as CEL sees it: a missing key reads as an empty text, but is
// not there. It is no traits.Mapper, whose Find has one answer for both, and its keys have
// an order.
type metadata struct {
	all  traits.Mapper
	keys func() []string
}

func newMetadata(all map[string]string) *metadata {
	keys := func() []string { return slices.Sorted(maps.Keys(all)) }
	return &metadata{types.NewStringStringMap(types.DefaultTypeAdapter, all), keys}
}

// Get implements traits.Indexer.
func (m *metadata) Get(key ref.Val) ref.Val {
	if value, found := m.all.Find(key); found {
		return value
	}
	return types.String("")
}

// IsSet implements traits.FieldTester.
func (m *metadata) IsSet(key ref.Val) ref.Val { return m.all.Contains(key) }

// Contains implements traits.Container.
func (m *metadata) Contains(key ref.Val) ref.Val { return m.all.Contains(key) }

// Iterator implements traits.Iterable. Equal metadata is gone through equally.
func (m *metadata) Iterator() traits.Iterator {
	return types.NewStringList(types.DefaultTypeAdapter, m.keys()).Iterator()
}

// Size implements traits.Sizer.
func (m *metadata) Size() ref.Val { return m.all.Size() }

// ConvertToNative implements ref.Val. Nothing in the language converts metadata.
func (m *metadata) ConvertToNative(t reflect.Type) (any, error) { return m.all.ConvertToNative(t) }

// ConvertToType implements ref.Val.
func (m *metadata) ConvertToType(ref.Type) ref.Val { return types.NoSuchOverloadErr() }

// Equal implements ref.Val. The parser refuses to compare metadata.
func (m *metadata) Equal(ref.Val) ref.Val { return types.NoSuchOverloadErr() }

// Type implements ref.Val.
func (*metadata) Type() ref.Type { return types.MapType }

// Value implements ref.Val.
func (m *metadata) Value() any { return m }
