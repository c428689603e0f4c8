package order

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The bounds of a submission. Lengths are in characters, as a client counts
// them, not in bytes.
const (
	// MaxIDChars keeps ids short enough for keys, logs and URLs.
	MaxIDChars = 128
	// MaxItems bounds one order's list; the business limit is far below it.
	MaxItems = 1000
	// MaxItemChars bounds one item's name.
	MaxItemChars = 500
	// MaxSKUChars bounds the shop's number of an item.
	MaxSKUChars = 100
	// MaxQuantity bounds how many of an item are ordered.
	MaxQuantity = 1_000_000
	// MaxCustomerChars is the length of the longest e-mail address.
	MaxCustomerChars = 254
	// MaxAddressChars leaves room for any postal address.
	MaxAddressChars = 1000
	// MaxNotesChars bounds the free text.
	MaxNotesChars = 2000
	// MaxAhead is how far ahead of now an order may be scheduled.
	MaxAhead = 30 * 24 * time.Hour
)

// Submission is what a client sent: each field has the right JSON type, and nothing
// else has been checked. A zero field was not sent.
type Submission struct {
	ID        string
	Amount    string // the JSON number as written
	Currency  string
	Items     []SubmittedItem
	Customer  string
	Address   string
	Country   string
	Priority  string // the JSON number as written
	Status    string
	Notes     string
	Metadata  map[string]string
	ProcessAt string
}

// New does what Terms.New does, on the default terms.
func New(s Submission, now time.Time) (Order, error) { return DefaultTerms().New(s, now) }

// New turns a submission into an order, or returns an *InvalidError that lists
// every problem, in the order of the fields. An absent id stays empty; the caller
// makes one. An absent priority becomes PriorityMedium. MaxAhead counts from now. A
// ProcessAt in the past is valid, because a client may repeat an old submission.
func (t Terms) New(s Submission, now time.Time) (Order, error) {
	p := problems{terms: t}
	o := Order{ID: p.id(s.ID)}
	o.Content = Content{
		Amount:   p.amount(s),
		Currency: p.currency(s.Currency),
		Items:    p.items(s),
		Customer: p.required("customer", s.Customer, MaxCustomerChars, oneLine),
		Address:  p.address(s.Address),
		Country:  p.country(s.Country),
		Priority: p.priority(s.Priority),
		Notes:    p.optional("notes", s.Notes, MaxNotesChars, manyLines),
		Metadata: p.metadata(s.Metadata),
	}
	p.status(s.Status)
	o.ProcessAt = p.processAt(s.ProcessAt, now)
	if len(p.found) > 0 {
		return Order{}, &InvalidError{Problems: p.found}
	}
	return o, nil
}

// IDForm describes a valid id, for messages.
const IDForm = "1 to 128 characters of A-Z a-z 0-9 . _ ~ : / # = @ + -, and not . or .."

// ValidID reports whether the text can be an order's id. "." and ".." cannot: clients
// and proxies remove them from a path, however they are encoded.
func ValidID(id string) bool {
	if id == "" || id == "." || id == ".." || len(id) > MaxIDChars {
		return false
	}
	for i := range len(id) {
		if !idByte(id[i]) {
			return false
		}
	}
	return true
}

// ValidIDPrefix reports whether an id can begin with a text.
func ValidIDPrefix(text string) bool { return text == "." || text == ".." || ValidID(text) }

func idByte(c byte) bool { return nameByte(c) || strings.IndexByte("~:/#=@+", c) >= 0 }

// nameByte reports whether a character is one of A-Z a-z 0-9 . _ -.
func nameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("._-", c) >= 0
}

// problems collects everything that is wrong with a submission on some terms.
type problems struct {
	terms Terms
	found []FieldError
}

func (p *problems) add(field string, code Code, format string, args ...any) {
	p.found = append(p.found, FieldError{Field: field, Code: code, Message: fmt.Sprintf(format, args...)})
}

func (p *problems) id(id string) string {
	if id != "" && !ValidID(id) {
		p.add("id", CodeInvalid, "must be %s", IDForm)
	}
	return id
}

func (p *problems) amount(s Submission) Money {
	if s.Amount == "" {
		p.add("amount", CodeRequired, "is required")
		return Money{}
	}
	return p.money("amount", s.Amount, p.decimals(s), p.terms.AllowFree)
}

// decimals is how many decimals the amounts of the order have.
func (p *problems) decimals(s Submission) int {
	return cmp.Or(Currency(s.Currency), p.terms.Currency).Decimals()
}

// money reads an amount above zero, or zero where that is allowed.
func (p *problems) money(field, text string, decimals int, zero bool) Money {
	m, err := ParseMoney(text, decimals)
	switch {
	case errors.Is(err, ErrTooPrecise):
		p.add(field, CodeTooPrecise, "must have %s", DecimalsOf(decimals))
	case errors.Is(err, ErrTooLarge) && text[0] != '-':
		p.add(field, CodeOutOfRange, "%v", err)
	case err != nil && !errors.Is(err, ErrTooLarge):
		p.add(field, CodeInvalid, "%v", err)
	case zero && (err != nil || m.Minor < 0):
		p.add(field, CodeOutOfRange, "must not be below 0")
	case !zero && m.Minor <= 0:
		p.add(field, CodeOutOfRange, "must be above 0")
	}
	return m
}

func (p *problems) currency(code string) Currency {
	c := Currency(code)
	switch {
	case code != "" && !c.Valid():
		p.add("currency", CodeInvalid, "must be a code of ISO 4217, as in %s", p.terms.Currency)
	case !slices.Contains(p.terms.Currencies, cmp.Or(c, p.terms.Currency)):
		p.add("currency", CodeInvalid, "must be one that is accepted here: %s", p.terms.accepted())
	}
	return c
}

func (p *problems) items(s Submission) []Item {
	if len(s.Items) == 0 {
		p.add("items", CodeRequired, "must hold at least one item")
	}
	if len(s.Items) > MaxItems {
		p.add("items", CodeTooMany, "must hold at most %d items", MaxItems)
		return nil
	}
	items, decimals := make([]Item, len(s.Items)), p.decimals(s)
	for i, item := range s.Items {
		items[i] = p.item(ItemField(i), item, decimals)
	}
	return items
}

// ItemField is the path to an item.
func ItemField(n int) string { return "items[" + strconv.Itoa(n) + "]" }

func (p *problems) address(text string) string {
	if p.terms.AddressRequired {
		return p.required("address", text, MaxAddressChars, manyLines)
	}
	return p.optional("address", text, MaxAddressChars, manyLines)
}

func (p *problems) country(code string) Country {
	c := Country(code)
	if code != "" && !c.Valid() {
		p.add("country", CodeInvalid, "must be a code of ISO 3166-1, as in DE")
	}
	return c
}

func (p *problems) priority(text string) Priority {
	if text == "" {
		return PriorityMedium
	}
	all := Priorities()
	for _, priority := range all {
		if text == strconv.Itoa(int(priority)) {
			return priority
		}
	}
	names := make([]string, len(all))
	for i, priority := range all {
		names[i] = fmt.Sprintf("%d (%s)", priority, priority.Name())
	}
	last := len(names) - 1
	p.add("priority", CodeOutOfRange, "must be %s or %s", strings.Join(names[:last], ", "), names[last])
	return 0
}

func (p *problems) status(s string) {
	if s != "" && Status(s) != StatusPending {
		p.add("status", CodeInvalid, "may only be %q", StatusPending)
	}
}

func (p *problems) processAt(text string, now time.Time) time.Time {
	if text == "" {
		return time.Time{}
	}
	t, err := ParseTime(text)
	if err != nil {
		p.add("process_at", CodeInvalid, "%v", err)
		return time.Time{}
	}
	if t.After(now.Add(MaxAhead)) || t.Unix() < 0 {
		p.add("process_at", CodeOutOfRange, "must be after 1970 and at most %d days ahead", MaxAhead/(24*time.Hour))
	}
	return t.Truncate(time.Microsecond)
}

// lines is whether a text may span several lines.
type lines bool

const (
	oneLine   lines = false
	manyLines lines = true
)

func (p *problems) required(field, s string, maxChars int, l lines) string {
	if empty(s) {
		p.add(field, CodeRequired, "must not be empty")
		return s
	}
	return p.text(field, s, maxChars, l)
}

// CheckLine checks a text by the rules for a customer's name: one line, not empty, at
// most maxChars characters. It returns the first problem, and false if there is one.
func CheckLine(field, s string, maxChars int) (FieldError, bool) {
	var p problems
	p.required(field, s, maxChars, oneLine)
	if len(p.found) > 0 {
		return p.found[0], false
	}
	return FieldError{}, true
}

// optional returns an empty text for one that shows nothing.
func (p *problems) optional(field, s string, maxChars int, l lines) string {
	p.text(field, s, maxChars, l)
	if empty(s) {
		return ""
	}
	return s
}

func (p *problems) text(field, s string, maxChars int, l lines) string {
	if n := utf8.RuneCountInString(s); n > maxChars {
		p.add(field, CodeTooLong, "must have at most %d characters, has %d", maxChars, n)
	}
	if !utf8.ValidString(s) {
		p.add(field, CodeInvalid, "must be valid UTF-8")
		return s
	}
	if i := strings.IndexFunc(s, func(r rune) bool { return forbidden(r, l) }); i >= 0 {
		r, _ := utf8.DecodeRuneInString(s[i:])
		p.add(field, CodeInvalid, "must not contain the control character %U", r)
	}
	return s
}

func forbidden(r rune, l lines) bool {
	if l == manyLines && (r == '\n' || r == '\r' || r == '\t') {
		return false
	}
	return unicode.IsControl(r) || l == oneLine && misleading(r)
}
