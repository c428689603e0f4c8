package config

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"orderprocessor/internal/order"
)

// setting is one variable, as the tags of its field declare it:
//
//	env, envDefault  the name and the default
//	min, max         the bounds of a number, a duration or an amount
//	oneOf            the allowed texts, between commas
//	form             one of forms
//	secret           "true" if the value must never be shown
type setting struct {
	field   reflect.StructField
	name    string
	allowed string // completes the sentence "must be …"
	check   func(v reflect.Value, text string) error
}

// errNotAllowed refuses a value for no other reason than what is allowed.
var errNotAllowed = errors.New("value is not allowed")

// settingsOf returns the settings of a struct, including those of embedded structs.
func settingsOf(config reflect.Type) (all []setting) {
	for _, f := range reflect.VisibleFields(config) {
		if name := f.Tag.Get("env"); name != "" {
			s := setting{field: f, name: name}
			s.derive()
			all = append(all, s)
		}
	}
	return all
}

// Names returns the name of every variable of API and Worker, sorted.
func Names() []string {
	all := append(settingsOf(reflect.TypeFor[API]()), settingsOf(reflect.TypeFor[Worker]())...)
	names := make([]string, 0, len(all))
	for _, s := range all {
		names = append(names, s.name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// derive sets what is allowed, by the tags and the type of the field.
func (s *setting) derive() {
	low, high, oneOf := s.field.Tag.Get("min"), s.field.Tag.Get("max"), s.field.Tag.Get("oneOf")
	if s.field.Type.Kind() == reflect.Bool {
		oneOf = "true,false"
	}
	if oneOf != "" {
		values := strings.Split(oneOf, ",")
		s.allowed = strings.Join(values[:len(values)-1], ", ") + " or " + values[len(values)-1]
		s.check = func(_ reflect.Value, text string) error { return allow(slices.Contains(values, text)) }
		return
	}
	if form, known := forms()[s.field.Tag.Get("form")]; known {
		s.allowed = form.allowed
		s.check = func(_ reflect.Value, text string) error { return form.check(text) }
		return
	}
	switch s.field.Type {
	case reflect.TypeFor[time.Duration]():
		s.allowed = fmt.Sprintf("a duration such as 1m30s, from %s to %s", low, high)
		s.between(parse(time.ParseDuration, low), parse(time.ParseDuration, high))
	case reflect.TypeFor[order.Money]():
		s.atLeast(low)
	default:
		s.allowed = fmt.Sprintf("a whole number from %s to %s", low, high)
		s.between(parse(strconv.Atoi, low), parse(strconv.Atoi, high))
	}
}

func (s *setting) between(low, high int64) {
	s.check = func(v reflect.Value, _ string) error { return allow(v.Int() >= low && v.Int() <= high) }
}

// atLeast checks an amount. That it fits ORDERS_CURRENCY is checked once that is known.
func (s *setting) atLeast(low string) {
	var least order.Money
	_ = least.UnmarshalText([]byte(low)) // see parse
	s.allowed = fmt.Sprintf("an amount from %s to %s, with no more decimals than %s has", least, order.MaxMoney(least.Decimals), nameCurrency)
	s.check = func(v reflect.Value, _ string) error {
		m, ok := v.Interface().(order.Money)
		return allow(ok && m.Compare(least) >= 0)
	}
}

// parse reads a bound from a tag. A malformed tag makes every value a problem, which
// the tests of the bounds find.
func parse[T ~int | ~int64](read func(string) (T, error), tag string) int64 {
	bound, _ := read(tag)
	return int64(bound)
}

func allow(ok bool) error {
	if ok {
		return nil
	}
	return errNotAllowed
}

// secret reports whether the value must not be shown.
func (s *setting) secret(value string) bool {
	return s.field.Tag.Get("secret") == "true" || s.field.Tag.Get("form") == "url" && strings.ContainsAny(value, "@?")
}

// form is a syntax that a text must have.
type form struct {
	allowed string
	check   func(text string) error
}

const (
	minSecretBytes = 24 // Standard Webhooks, section on the signature scheme
	maxSecretBytes = 64
	maxSecrets     = 2 // the old and the new one while a secret is replaced

	minWeight = 1   // with 0, a queue would never be served
	maxWeight = 100 // a larger ratio starves the smallest queue
)

func forms() map[string]form {
	parsed := func(string) error { return nil } // checked while it is parsed
	const endpoint = "an absolute http or https URL with a host; its value is not shown"
	return map[string]form{
		"address":  {"host:port with a port from 0 to 65535", checkAddress},
		"url":      {"an absolute http or https URL with a host and without a user or password", checkURL},
		"endpoint": {endpoint, checkEndpoint},
		"signing keys": {fmt.Sprintf(
			"base64 of %d to %d bytes, with or without whsec_ in front, or two of these with a space between; its value is not shown",
			minSecretBytes, maxSecretBytes), checkSigningKeys},
		"ratio": {"a number from 0 to 1", checkRatio},
		"redis": {redisForms, parsed},
		"keys":  {"name:scopes:hash between commas, as `orderctl keys new` writes it; its value is not shown", parsed},
		"key file": {
			"a file with name:scopes:hash on each line, as `orderctl keys new` writes it; its name is not shown", parsed,
		},
		"archive":    {archiveForms, checkArchive},
		"trace url":  {"an absolute http or https URL with " + TraceIDPlace + " in it, as in https://traces.example/trace/" + TraceIDPlace, checkTraceURL},
		"currency":   {"the ISO 4217 code of a currency, as in EUR", checkCurrency},
		"currencies": {"ISO 4217 codes of currencies between commas, each once", parsed},
		"weights": {fmt.Sprintf(
			"like %s: each queue once, with a whole number from %d to %d", formatWeights(order.QueueWeights()), minWeight, maxWeight), parsed},
	}
}

// checkAddress accepts what a program can listen on: an empty host means all
// interfaces, port 0 any free port.
func checkAddress(text string) error { return checkHostPort(text, 0) }

// checkURL accepts the URL of a shop. A user or password is refused because the URL is
// logged; the calls are signed instead.
func checkURL(text string) error {
	u, err := parseHTTP(text, true)
	if err != nil {
		return err
	}
	return allow(u.User == nil && (u.Port() == "" || goodPort(u.Port(), 1)))
}

// TraceIDPlace stands in a URL for the id of a trace.
const TraceIDPlace = "{trace_id}"

func checkTraceURL(text string) error {
	if !strings.Contains(text, TraceIDPlace) {
		return errNotAllowed
	}
	_, err := parseHTTP(strings.ReplaceAll(text, TraceIDPlace, "0"), true)
	return err
}

func checkEndpoint(text string) error {
	_, err := parseHTTP(text, false)
	return err
}

// parseHTTP reads a URL for HTTP. Unless shown, the error quotes nothing of it.
func parseHTTP(text string, shown bool) (*url.URL, error) {
	if !strings.Contains(text, "://") {
		return nil, refusal("has no http:// or https:// in front")
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, errNotAllowed // the error quotes the text
	}
	if err := refuseForeign(u.Hostname(), shown && !strings.ContainsAny(text, "@?")); err != nil {
		return nil, err
	}
	return u, allow((u.Scheme == "http" || u.Scheme == "https") && goodHost(u.Hostname()))
}

// checkSigningKeys accepts one key of Standard Webhooks, or two different ones.
func checkSigningKeys(text string) error {
	secrets := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' })
	if len(secrets) > maxSecrets {
		return refusal("has more than two secrets")
	}
	var before []byte
	for _, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if err != nil || len(key) < minSecretBytes || len(key) > maxSecretBytes {
			return errNotAllowed
		}
		if bytes.Equal(key, before) {
			return refusal("has the same secret twice")
		}
		before = key
	}
	return nil
}

const archiveForms = "sqlite:///path/file.db with an absolute path, or postgres://user@host/database; its value is not shown"

// checkArchive checks the form only; archive.Open reads the rest.
func checkArchive(text string) error {
	scheme, rest, _ := strings.Cut(text, "://")
	switch scheme {
	case "sqlite":
		return allow(len(rest) > 1 && rest[0] == '/' && !strings.ContainsAny(rest, "?#"))
	case "postgres", "postgresql":
		return allow(rest != "")
	default:
		return errNotAllowed
	}
}

// checkRatio also refuses NaN, which is not below anything.
func checkRatio(text string) error {
	ratio, err := strconv.ParseFloat(text, 64)
	return allow(err == nil && ratio >= 0 && ratio <= 1)
}

func checkCurrency(text string) error { return allow(order.Currency(text).Valid()) }

// parseCurrencies reads codes between commas.
func parseCurrencies(text string) ([]order.Currency, error) {
	var all []order.Currency
	for code := range strings.SplitSeq(text, ",") {
		c := order.Currency(Trimmed(code))
		if !c.Valid() {
			return nil, errNotAllowed
		}
		if slices.Contains(all, c) {
			return nil, refusal("names a currency twice")
		}
		all = append(all, c)
	}
	return all, nil
}

// formatWeights writes weights as parseWeights reads them.
func formatWeights(weights map[order.Queue]int) string {
	pairs := make([]string, 0, len(weights))
	for _, q := range order.Queues() {
		pairs = append(pairs, fmt.Sprintf("%s=%d", q, weights[q]))
	}
	return strings.Join(pairs, ",")
}

// parseWeights reads name=weight pairs between commas: each queue once.
func parseWeights(text string) (map[order.Queue]int, error) {
	weights := make(map[order.Queue]int, len(order.Queues()))
	for pair := range strings.SplitSeq(text, ",") {
		name, number, _ := strings.Cut(pair, "=")
		q := order.Queue(name)
		weight, err := strconv.Atoi(number)
		_, twice := weights[q]
		switch {
		case err != nil:
			return nil, refusal("has a weight that is not a whole number")
		case twice:
			return nil, refusal("names a queue twice")
		case weight < minWeight || weight > maxWeight || !slices.Contains(order.Queues(), q):
			return nil, errNotAllowed
		}
		weights[q] = weight
	}
	return weights, allow(len(weights) == len(order.Queues()))
}
