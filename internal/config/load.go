package config

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/agnivade/levenshtein"
	"github.com/caarlos0/env/v11"

	"orderprocessor/internal/order"
)

// LoadAPI reads the API's configuration from environ, which has the form of
// os.Environ(), and the file of API keys if one is set. Every problem is in one *Error.
func LoadAPI(environ []string) (API, error) {
	s, found := read(environ)
	found.relateAPI(s)
	if err := found.err(); err != nil {
		return API{}, err
	}
	return s.api, nil
}

// LoadWorker reads the worker's configuration as LoadAPI does. It also checks that the
// worker's variables are consistent.
func LoadWorker(environ []string) (Worker, error) {
	s, found := read(environ)
	found.relate(s)
	if err := found.err(); err != nil {
		return Worker{}, err
	}
	return s.worker, nil
}

// LoadAll reads both configurations, for one process that runs the API and a worker.
// ORDERS_ADMIN_ADDR is then the admin address of the API, and the worker keeps its
// default, because they cannot share one.
func LoadAll(environ []string) (API, Worker, error) {
	s, found := read(environ)
	found.relateAPI(s)
	found.relate(s)
	if err := found.err(); err != nil {
		return API{}, Worker{}, err
	}
	s.worker.AdminAddr = defaultAdminAddr()
	return s.api, s.worker, nil
}

func defaultAdminAddr() string {
	field, _ := reflect.TypeFor[Worker]().FieldByName("AdminAddr")
	return field.Tag.Get("envDefault")
}

// settings is the environment as read for both programs: a variable that only the other
// one uses is checked too.
type settings struct {
	api    API
	worker Worker
	text   map[string]string // the known variables that are set and not empty
}

// has reports whether the variable is set, so that its default does not apply.
func (s *settings) has(name string) bool { return s.text[name] != "" }

// read parses and checks every variable.
func read(environ []string) (*settings, *problems) {
	found := &problems{}
	s := &settings{text: found.known(environ)}
	options := env.Options{Environment: s.text, FuncMap: map[reflect.Type]env.ParserFunc{
		reflect.TypeFor[map[order.Queue]int](): func(v string) (any, error) { return parseWeights(v) },
		reflect.TypeFor[[]APIKey]():            func(v string) (any, error) { return parseKeys(v) },
		reflect.TypeFor[[]order.Currency]():    func(v string) (any, error) { return parseCurrencies(v) },
	}}
	s.worker.QueueWeights = order.QueueWeights()
	parseStruct(found, &s.api, options)
	parseStruct(found, &s.worker, options)
	s.api.Traces = found.traces(environ)
	s.worker.Traces = s.api.Traces
	s.fitSlots()
	s.fitTimeout()
	s.fitRetry()
	found.relateAmounts(s)
	if len(s.api.Currencies) == 0 {
		s.api.Currencies = []order.Currency{s.api.Currency}
	}
	s.worker.Currencies = s.api.Currencies
	if s.api.RateBurst == 0 {
		s.api.RateBurst = s.api.RateLimit
	}
	return s, found
}

// Trimmed returns a value as every setting is read: without white space and byte order
// marks at its ends, such as the line end of the file that it comes from.
func Trimmed(value string) string {
	return strings.TrimFunc(value, func(r rune) bool { return unicode.IsSpace(r) || r == '\uFEFF' })
}

// prefix begins every name of ours but REDIS_URL, which other programs share.
const prefix = "ORDERS_"

// known returns the known variables that are set. The last value of a name counts.
func (p *problems) known(environ []string) map[string]string {
	names := Names()
	text := make(map[string]string, len(names))
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		switch _, known := slices.BinarySearch(names, name); {
		case known:
			text[name] = Trimmed(value)
		case strings.HasPrefix(name, prefix):
			p.add(Problem{Name: name, Message: "is not a known variable" + suggestion(name, names)})
		}
	}
	return text
}

// maxSlips is the largest number of wrong letters in a typing mistake.
const maxSlips = 3

// suggestion names the variable that was probably meant, if there is one.
func suggestion(name string, names []string) string {
	nearest, slips := "", maxSlips+1
	for _, candidate := range names {
		if max(len(name)-len(candidate), len(candidate)-len(name)) > maxSlips {
			continue // also keeps the cost of a long name low
		}
		if d := levenshtein.ComputeDistance(name, candidate); d < slips {
			nearest, slips = candidate, d
		}
	}
	if nearest == "" {
		return ""
	}
	return "; did you mean " + nearest + "?"
}

// parseStruct fills a struct from the variables and checks each that is set.
func parseStruct[T any](found *problems, into *T, options env.Options) {
	refused := map[string]error{} // by field
	if err := env.ParseWithOptions(into, options); err != nil {
		var all env.AggregateError
		if !errors.As(err, &all) {
			all.Errors = []error{err}
		}
		for _, one := range all.Errors {
			var failed env.ParseError
			if errors.As(one, &failed) {
				refused[failed.Name] = failed.Err
			} else {
				found.add(Problem{Name: prefix + "*", Message: one.Error()})
			}
		}
	}
	values := reflect.ValueOf(into).Elem()
	for _, s := range settingsOf(values.Type()) {
		text := options.Environment[s.name]
		if text == "" {
			continue
		}
		err := refused[s.field.Name]
		if err == nil {
			err = s.check(values.FieldByIndex(s.field.Index), text)
		}
		if err != nil {
			found.add(s.problem(text, err))
		}
	}
}

// criticalShare bounds the default of the reserved slots: one slot in so many.
const criticalShare = 4

// fitSlots lowers defaults, so that a worker of any concurrency starts without two other
// variables.
func (s *settings) fitSlots() {
	w := &s.worker
	if !s.has(nameReserved) {
		lanes := 1
		if s.has(nameLanes) {
			lanes = w.Lanes
		}
		w.ReservedCritical = max(0, min(w.ReservedCritical, w.Concurrency/criticalShare, w.Concurrency-lanes))
	}
	if !s.has(nameLanes) {
		w.Lanes = max(1, min(w.Lanes, w.Concurrency-w.ReservedCritical))
	}
}

// callShare is the share of an attempt, in tenths, that bounds the default of the
// fulfilment timeout.
const callShare = 9

// fitTimeout lowers the default of the fulfilment timeout for short attempts.
func (s *settings) fitTimeout() {
	w := &s.worker
	if !s.has(nameFulfilmentTimeout) {
		w.FulfilmentTimeout = min(w.FulfilmentTimeout, w.AttemptTimeout*callShare/10)
	}
}

// fitRetry moves the default of one bound of the waits to the other one.
func (s *settings) fitRetry() {
	w := &s.worker
	if !s.has(nameRetryBase) {
		w.RetryBase = min(w.RetryBase, w.RetryMax)
	}
	if !s.has(nameRetryMax) {
		w.RetryMax = max(w.RetryMax, w.RetryBase)
	}
}
