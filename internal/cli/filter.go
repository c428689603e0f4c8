package cli

import (
	"net/url"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"orderprocessor/internal/order"
)

// filterHelp explains the flags of an orderFilter.
const filterHelp = `By --status, --customer, --from and --to the orders come from Redis and, if the
installation has one, from the archive. All other flags need the archive.`

// orderFilter is the flags that select orders.
type orderFilter struct {
	flags    []filterFlag
	metadata []string
}

// filterFlag is a flag whose text is a parameter of the API.
type filterFlag struct {
	name, parameter string
	value           *string
}

func (f *orderFilter) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	add := func(name, parameter, usage string) {
		f.flags = append(f.flags, filterFlag{name, parameter, flags.String(name, "", usage)})
	}
	addTime := func(name, parameter, usage string) {
		value := new(string)
		f.flags = append(f.flags, filterFlag{name, parameter, value})
		flags.Func(name, usage+", in RFC 3339", timeFlag(value))
	}
	addFilterChoice(f, cmd, "status", order.Statuses(), "only orders in this status, such as pending or failed")
	add("customer", "customer", "only orders of this customer, spelt exactly so")
	addTime("from", "created_from", "only orders accepted at this time or later")
	addTime("to", "created_to", "only orders accepted before this time")
	add("id-prefix", "id_prefix", "only orders whose id begins so")
	addFilterChoice(f, cmd, "queue", order.Queues(), "only orders of this queue")
	addFilterChoice(f, cmd, "handling", order.Handlings(), "only orders with this handling, such as expedited")
	add("tag", "tag", "only orders that the rules have tagged so")
	add("currency", "currency", "only orders in this currency, such as USD")
	add("country", "country", "only orders with this country, such as DE")
	add("amount-min", "amount_min", "only orders of at least this amount")
	add("amount-max", "amount_max", "only orders of at most this amount")
	add("error-contains", "error_contains", "only orders whose error contains this, spelt exactly so")
	add("error-fingerprint", "error_fingerprint", "only failed orders of the group with this fingerprint, as failures -o json shows it")
	addTime("settled-from", "settled_from", "only orders with an outcome since this time")
	addTime("settled-to", "settled_to", "only orders with an outcome before this time")
	flags.StringArrayVar(&f.metadata, "metadata", nil, "only orders with this metadata, as key=value; may be repeated")
}

func addFilterChoice[T ~string](f *orderFilter, cmd *cobra.Command, name string, from []T, usage string) {
	value := new(string)
	f.flags = append(f.flags, filterFlag{name, name, value})
	addChoice(cmd, value, name, "", texts(from), usage)
}

// check keeps anyone from selecting all orders by a text that is empty by mistake.
func (f *orderFilter) check(flags *pflag.FlagSet) error {
	for _, flag := range f.flags {
		if flags.Changed(flag.name) && *flag.value == "" {
			return usagef("--%s must not be empty", flag.name)
		}
	}
	for _, pair := range f.metadata {
		if key, value, ok := strings.Cut(pair, "="); !ok || !order.ValidMetadataKey(key) || value == "" {
			return usagef("--metadata must be a key and its value, as in basket=77, not %q", order.Printable(pair))
		}
	}
	return nil
}

// query returns the filter as parameters of the API.
func (f *orderFilter) query() url.Values {
	query := url.Values{}
	for _, flag := range f.flags {
		if *flag.value != "" {
			query.Set(flag.parameter, *flag.value)
		}
	}
	for _, pair := range f.metadata {
		key, value, _ := strings.Cut(pair, "=")
		query.Add("metadata."+key, value) // the API refuses a key that is repeated
	}
	return query
}
