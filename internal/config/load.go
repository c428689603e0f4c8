package config

import (
	"errors"
	"reflect"
	"strings"
	"unicode"

	"github.com/caarlos0/env/v11"

	"orderprocessor/internal/order"
)

// LoadAPI reads the API's configuration from environ, which has the form of
// os.Environ(), and the file of API keys if it names one. Whatever is wrong comes
// back in one *Error.
func LoadAPI(environ []string) (API, error) {
	s, found := read(environ)
	found.relateAPI(s)
	if err := found.err(); err != nil {
		return API{}, err
	}
	return s.api, nil
}

// LoadWorker reads the worker's configuration as LoadAPI does. It also checks
// that the worker's variables fit together.
func LoadWorker(environ []string) (Worker, error) {
	s, found := read(environ)
	found.relate(s)
	if err := found.err(); err != nil {
		return Worker{}, err
	}
	return s.worker, nil
}

// LoadAll reads both configurations, for one process that runs the API and a
// worker. ORDERS_ADMIN_ADDR then means the API's admin address and the worker
// keeps its default, as the two cannot share one.
func LoadAll(environ []string) (API, Worker, error) {
	s, found := read(environ)
	found.relateAPI(s)
	found.relate(s)
	if err := found.err(); err != nil {
		return API{}, Worker{}, err
	}
	s.worker.AdminAddr = fieldOf[Worker]("AdminAddr").Tag.Get("envDefault")
	return s.api, s.worker, nil
}

// settings is the environment as read, for both binaries at once: the value of
// a variable that only the other one uses is checked too.
type settings struct {
	api    API
	worker Worker
	text   map[string]string // the known variables that are set and not empty
}

// has says whether the variable was set, so that its default is not in force.
func (s *settings) has(name string) bool { return s.text[name] != "" }

// read parses all variables and checks each for itself.
func read(environ []string) (*settings, *problems) {
	found := &problems{}
	s := &settings{text: found.known(environ)}
	options := env.Options{Environment: s.text, FuncMap: map[reflect.Type]env.ParserFunc{
		reflect.TypeFor[map[order.Queue]int](): func(v string) (any, error) { return parseWeights(v) },
		reflect.TypeFor[[]APIKey]():            func(v string) (any, error) { return parseKeys(v) },
	}}
	s.worker.QueueWeights = defaultWeights()
	parse[API](found, &s.api, options)
	parse[Worker](found, &s.worker, options)
	found.check(s)
	s.api.Traces = found.traces(environ)
	s.worker.Traces = s.api.Traces
	s.fitSlots()
	s.fitTimeout()
	s.fitRetry()
	s.fitBurst()
	return s, found
}

// Trimmed is the value of a setting as every one is read: without white space at its
// ends, such as the line end of the file that it comes from, and without a byte order
// mark there.
func Trimmed(value string) string {
	return strings.TrimFunc(value, func(r rune) bool { return unicode.IsSpace(r) || r == '\uFEFF' })
}

// known returns the variables that the configuration knows and that are set. A
// name that occurs twice has its last value.
func (p *problems) known(environ []string) map[string]string {
	names := Names()
	text := make(map[string]string, len(names))
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		switch {
		case contains(names, name):
			text[name] = Trimmed(value)
		case strings.HasPrefix(name, prefix):
			p.add(Problem{Name: name, Message: "is not a known variable" + suggestion(name, names)})
		}
	}
	return text
}

// parse fills one struct and turns every value that does not have its type's
// form into a problem.
func parse[T any](found *problems, into *T, options env.Options) {
	err := env.ParseWithOptions(into, options)
	if err == nil {
		return
	}
	var all env.AggregateError
	if !errors.As(err, &all) {
		all.Errors = []error{err}
	}
	for _, one := range all.Errors {
		var failed env.ParseError
		if !errors.As(one, &failed) {
			found.add(Problem{Name: prefix + "*", Message: one.Error()})
			continue
		}
		found.refuse(fieldOf[T](failed.Name).Tag.Get("env"), options.Environment, failed.Err)
	}
}

// fieldOf finds a field of a struct, or of one that it embeds, by its name.
func fieldOf[T any](name string) reflect.StructField {
	field, _ := reflect.TypeFor[T]().FieldByName(name)
	return field
}

// criticalShare bounds what is reserved for the critical queue when nobody asked
// for more: one slot in so many.
const criticalShare = 4

// fitSlots shrinks the defaults of what was not set, so that a worker of any
// concurrency starts without three variables having to be set together.
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

// callShare is how much of an attempt one call may take when nobody asked for a
// timeout, in tenths.
const callShare = 9

// fitTimeout shrinks the default of the fulfilment timeout, if it was not set,
// to what a short attempt leaves for a call.
func (s *settings) fitTimeout() {
	w := &s.worker
	if !s.has(nameFulfilmentTimeout) {
		w.FulfilmentTimeout = min(w.FulfilmentTimeout, w.AttemptTimeout*callShare/10)
	}
}

// fitRetry moves the end of the waits that was not set to where the other one
// is.
func (s *settings) fitRetry() {
	w := &s.worker
	if !s.has(nameRetryBase) {
		w.RetryBase = min(w.RetryBase, w.RetryMax)
	}
	if !s.has(nameRetryMax) {
		w.RetryMax = max(w.RetryMax, w.RetryBase)
	}
}

// fitBurst lets as many requests come at once as a second has, if nothing else
// was asked for.
func (s *settings) fitBurst() {
	if s.api.RateBurst == 0 {
		s.api.RateBurst = s.api.RateLimit
	}
}
