package api

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/order"
)

// metadataPrefix begins the parameters that select by a value of the metadata.
const metadataPrefix = "metadata."

// filterNames are the parameters of a filter. Metadata has more, one for each key.
func filterNames() []string {
	return append([]string{"status", "customer", "created_from", "created_to"}, archiveNames()...)
}

// archiveNames are those of them that need the archive.
func archiveNames() []string {
	return []string{
		"id_prefix", "queue", "handling", "tag", "currency", "country", "amount_min", "amount_max",
		"error_contains", "error_fingerprint", "settled_from", "settled_to",
	}
}

// archiveRequiredError lists the parameters that need an archive where there is none.
type archiveRequiredError struct{ requestError }

// filterOf reads a query that has a filter and these parameters.
func (s *Server) filterOf(c *fiber.Ctx, names ...string) (*query, order.Filter) {
	q := queryOf(c, append(filterNames(), append(names, metadataPrefix)...)...)
	return q, s.filterIn(q)
}

// filterIn reads the filter in a query.
func (s *Server) filterIn(q *query) order.Filter {
	return order.Filter{
		Status: q.status("status"), Customer: q.text("customer", order.MaxCustomerChars),
		CreatedFrom: q.time("created_from"), CreatedTo: q.time("created_to"),
		Further: q.further(s.cfg.Terms.Currency),
	}
}

// checkFilter returns everything that is wrong with a query, and refuses a filter that
// needs an archive where there is none.
func (s *Server) checkFilter(q *query, f order.Filter) error {
	if err := q.err(); err != nil || s.Archive != nil || !f.NeedsArchive() {
		return err
	}
	var needing mistakes
	for _, name := range slices.Sorted(maps.Keys(q.values)) {
		if slices.Contains(archiveNames(), name) || strings.HasPrefix(name, metadataPrefix) {
			needing.add(name, order.CodeInvalid, "needs an archive, and this installation has none")
		}
	}
	return &archiveRequiredError{requestError(needing)}
}

// further reads what only the archive can select by. Orders that name no currency have
// that of the installation.
func (q *query) further(installed order.Currency) order.Further {
	f := order.Further{
		IDPrefix:         q.idPrefix("id_prefix"),
		Queue:            choice(q, "queue", order.Queues()),
		Handling:         choice(q, "handling", order.Handlings()),
		Tag:              q.text("tag", maxTagChars),
		Currency:         code(q, "currency", order.Currency.Valid, "must be the ISO 4217 code of a currency, as in USD"),
		Country:          code(q, "country", order.Country.Valid, "must be the ISO 3166-1 alpha-2 code of a country, as in DE"),
		AmountMin:        q.amount("amount_min"),
		AmountMax:        q.amount("amount_max"),
		ErrorContains:    q.text("error_contains", maxErrorPart),
		ErrorFingerprint: q.text("error_fingerprint", order.MaxNoteBytes),
		SettledFrom:      q.time("settled_from"), SettledTo: q.time("settled_to"),
		Metadata: q.metadata(),
	}
	f.OrNoCurrency = f.Currency != "" && f.Currency == installed
	if f.AmountMin != nil && f.AmountMax != nil && f.AmountMin.Compare(*f.AmountMax) > 0 {
		q.add("amount_max", order.CodeOutOfRange, "must not be below amount_min")
	}
	return f
}

func (q *query) idPrefix(name string) string {
	value, ok := q.value(name)
	if ok && !order.ValidIDPrefix(value) {
		q.add(name, order.CodeInvalid, "must be the beginning of an id, which has %s", order.IDForm)
	}
	return value
}

// choice reads one of some values.
func choice[T ~string](q *query, name string, from []T) T {
	value, ok := q.value(name)
	if ok && !slices.Contains(from, T(value)) {
		all := make([]string, len(from))
		for i, one := range from {
			all[i] = string(one)
		}
		q.add(name, order.CodeInvalid, "must be one of %s", strings.Join(all, ", "))
	}
	return T(value)
}

func code[T ~string](q *query, name string, valid func(T) bool, message string) T {
	value, ok := q.value(name)
	if ok && !valid(T(value)) {
		q.add(name, order.CodeInvalid, "%s", message)
	}
	return T(value)
}

// amount reads an amount of any currency.
func (q *query) amount(name string) *order.Money {
	value, ok := q.value(name)
	if !ok {
		return nil
	}
	m, err := order.ParseMoney(value, order.MaxDecimals)
	switch {
	case err != nil:
		q.add(name, order.CodeInvalid, "%v", err)
	case m.Minor < 0:
		q.add(name, order.CodeOutOfRange, "must not be below 0")
	}
	return &m
}

// metadata reads the values that the metadata must have.
func (q *query) metadata() map[string]string {
	var all map[string]string
	for _, name := range slices.Sorted(maps.Keys(q.values)) {
		key, ok := strings.CutPrefix(name, metadataPrefix)
		switch {
		case !ok:
			continue
		case !order.ValidMetadataKey(key):
			q.add(order.MetadataField(key), order.CodeInvalid, "must have a key of 1 to %d characters of A-Z a-z 0-9 _ . -", order.MaxMetadataKeyChars)
			continue
		case len(all) == maxFilteredMetadata:
			q.add("metadata", order.CodeTooMany, "must have at most %d keys", maxFilteredMetadata)
			return all
		case all == nil:
			all = map[string]string{}
		}
		all[key] = q.text(name, order.MaxMetadataValueChars)
	}
	return all
}

// filterKey identifies a list by its filter, for its cursors.
func filterKey(q *query, f order.Filter) []string {
	key := []string{"list", string(f.Status), f.Customer, micros(f.CreatedFrom), micros(f.CreatedTo)}
	if !f.NeedsArchive() {
		return key
	}
	further := url.Values{}
	for name, value := range q.values {
		if slices.Contains(archiveNames(), name) || strings.HasPrefix(name, metadataPrefix) {
			further[name] = value
		}
	}
	return append(key, further.Encode())
}
