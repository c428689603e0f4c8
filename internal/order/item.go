package order

import (
	"bytes"
	"encoding/json"
	"errors"
	"hash"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Item is one element of an order. As JSON it is what the client sent: its name, or an
// object with what else the client said.
type Item struct {
	// Name says what it is, up to MaxItemChars.
	Name string
	// Detailed is whether the client sent an object. The fields below are zero otherwise.
	Detailed bool
	// SKU is the shop's number of it, up to MaxSKUChars, or empty.
	SKU string
	// Quantity is how many of it, up to MaxQuantity. Zero was not sent and means one.
	Quantity int
	// UnitPrice is the price of one in the order's currency, or nil.
	UnitPrice *Money
}

// Names returns items that are only named.
func Names(names ...string) []Item {
	items := make([]Item, len(names))
	for i, name := range names {
		items[i].Name = name
	}
	return items
}

// itemObject is the JSON of a detailed item.
type itemObject struct {
	Name      string `json:"name"`
	SKU       string `json:"sku,omitempty"`
	Quantity  int    `json:"quantity,omitempty"`
	UnitPrice *Money `json:"unit_price,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (i Item) MarshalJSON() ([]byte, error) {
	switch {
	case !i.Detailed && !strings.ContainsFunc(i.Name, mayBeEscaped):
		return []byte(`"` + i.Name + `"`), nil // without the encoder, whose time would be half that of the order
	case !i.Detailed:
		return json.Marshal(i.Name)
	}
	return json.Marshal(itemObject{i.Name, i.SKU, i.Quantity, i.UnitPrice})
}

// mayBeEscaped reports whether the encoder may escape a character.
func mayBeEscaped(r rune) bool { return r < ' ' || r > '~' || strings.ContainsRune(`"\<>&`, r) }

// UnmarshalJSON implements json.Unmarshaler.
func (i *Item) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '"' {
		*i = Item{}
		if len(text) > 1 && bytes.IndexByte(text, '\\') < 0 && utf8.Valid(text) {
			i.Name = string(text[1 : len(text)-1]) // without the decoder, whose time would be half that of the order
			return nil
		}
		return json.Unmarshal(text, &i.Name)
	}
	var o itemObject
	if err := json.Unmarshal(text, &o); err != nil {
		return err
	}
	*i = Item{o.Name, true, o.SKU, o.Quantity, o.UnitPrice}
	return nil
}

// writeDetails hashes what items have besides their names, if any is detailed.
func (c Content) writeDetails(h hash.Hash) {
	if !slices.ContainsFunc(c.Items, func(i Item) bool { return i.Detailed }) {
		return
	}
	writeText(h, "items")
	for _, item := range c.Items {
		parts := []string{strconv.FormatBool(item.Detailed), item.SKU, strconv.Itoa(item.Quantity), ""}
		if item.UnitPrice != nil {
			parts[3] = item.UnitPrice.String()
		}
		for _, part := range parts {
			writeText(h, part)
		}
	}
}

// SubmittedItem is an item as a client sent it.
type SubmittedItem struct {
	Item
	Quantity  string // the JSON number as written
	UnitPrice string // the JSON number as written
}

// SubmittedNames returns items that are sent as names.
func SubmittedNames(names ...string) []SubmittedItem {
	items := make([]SubmittedItem, len(names))
	for i, name := range names {
		items[i].Name = name
	}
	return items
}

// item checks an item of an order whose amounts have so many decimals.
func (p *problems) item(path string, s SubmittedItem, decimals int) Item {
	if !s.Detailed {
		return Item{Name: p.required(path, s.Name, MaxItemChars, oneLine)}
	}
	item := Item{Name: p.required(path+".name", s.Name, MaxItemChars, oneLine), Detailed: true, SKU: s.SKU}
	if s.SKU != "" {
		p.required(path+".sku", s.SKU, MaxSKUChars, oneLine)
	}
	if s.Quantity != "" {
		item.Quantity = p.quantity(path+".quantity", s.Quantity)
	}
	if s.UnitPrice != "" {
		price := p.money(path+".unit_price", s.UnitPrice, decimals, true)
		item.UnitPrice = &price
	}
	return item
}

func (p *problems) quantity(path, text string) int {
	n, err := strconv.Atoi(text)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		p.add(path, CodeInvalid, "must be a whole number, without a point or an exponent")
	} else if err != nil || n < 1 || n > MaxQuantity {
		p.add(path, CodeOutOfRange, "must be from 1 to %d", MaxQuantity)
	}
	return n
}
