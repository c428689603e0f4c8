package config

import (
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"

	"orderprocessor/internal/order"
)

// The names that more than one check uses.
const (
	nameHTTPAddr          = "ORDERS_HTTP_ADDR"
	nameKeys              = "ORDERS_API_KEYS"
	nameKeysFile          = "ORDERS_API_KEYS_FILE"
	nameInsecure          = "ORDERS_INSECURE"
	nameAttemptTimeout    = "ORDERS_ATTEMPT_TIMEOUT"
	nameConcurrency       = "ORDERS_WORKER_CONCURRENCY"
	nameLanes             = "ORDERS_WORKER_LANES"
	nameReserved          = "ORDERS_WORKER_RESERVED_CRITICAL"
	nameRetryBase         = "ORDERS_RETRY_BASE"
	nameRetryMax          = "ORDERS_RETRY_MAX"
	nameFulfilmentURL     = "ORDERS_FULFILMENT_URL"
	nameFulfilmentSecret  = "ORDERS_FULFILMENT_SECRET"
	nameFulfilmentTimeout = "ORDERS_FULFILMENT_TIMEOUT"
	nameCurrency          = "ORDERS_CURRENCY"
	nameHighValueAbove    = "ORDERS_HIGH_VALUE_ABOVE"
	nameMaxAmount         = "ORDERS_MAX_AMOUNT"
)

// relateAPI adds the keys of the file, and refuses an API that anybody on the network
// could use.
func (p *problems) relateAPI(s *settings) {
	p.joinKeys(s)
	if p.about(nameHTTPAddr, nameKeys, nameKeysFile, nameInsecure) {
		return
	}
	if len(s.api.Keys) == 0 && !s.api.Insecure && !loopback(s.api.HTTPAddr) {
		p.relation(nameHTTPAddr, s.api.HTTPAddr, "can be reached from other machines, and without API keys anybody could use it: "+
			"make a key with `orderctl keys new` and set %s or %s, or set %s=true if others keep strangers out",
			nameKeys, nameKeysFile, nameInsecure)
	}
}

// joinKeys adds the keys of the file to those of the variable.
func (p *problems) joinKeys(s *settings) {
	if !s.has(nameKeysFile) {
		return
	}
	keys, err := readKeyFile(s.api.KeysFile)
	switch {
	case err != nil:
	case len(keys)+len(s.api.Keys) > maxAPIKeys:
		err = refusal(fmt.Sprintf("brings the keys to more than %d", maxAPIKeys))
	default:
		for _, key := range keys {
			if contained(s.api.Keys, key) {
				err = refusal("repeats a hash of " + nameKeys)
			}
		}
	}
	if err != nil {
		for _, known := range settingsOf(reflect.TypeFor[API]()) {
			if known.name == nameKeysFile {
				p.add(known.problem(s.text[nameKeysFile], err))
			}
		}
		return
	}
	s.api.Keys = append(s.api.Keys, keys...)
}

// relateAmounts checks that the amounts that are set fit the currency.
func (p *problems) relateAmounts(s *settings) {
	c := s.api.Currency
	for name, amount := range map[string]order.Money{nameHighValueAbove: s.api.HighValueAbove, nameMaxAmount: s.api.MaxAmount} {
		if !s.has(name) || p.about(name, nameCurrency) {
			continue
		}
		if _, err := order.ParseMoney(amount.String(), c.Decimals()); err != nil {
			p.relation(name, amount.String(), "must have %s: %s is %s", order.DecimalsOf(c.Decimals()), nameCurrency, c)
		}
	}
}

// loopback reports whether a valid address can be reached from this machine only.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return strings.EqualFold(host, "localhost")
	}
	return ip.Unmap().IsLoopback()
}

// relate compares the worker's variables with each other, unless one of them has a
// problem of its own.
func (p *problems) relate(s *settings) {
	w := s.worker
	if !p.about(nameConcurrency, nameLanes, nameReserved) {
		p.relateSlots(w)
	}
	if !p.about(nameRetryBase, nameRetryMax) && w.RetryMax < w.RetryBase {
		p.relation(nameRetryMax, shortest(w.RetryMax), "must not be below %s, which is %s", nameRetryBase, shortest(w.RetryBase))
	}
	if !p.about(nameFulfilmentTimeout, nameAttemptTimeout) && w.FulfilmentTimeout >= w.AttemptTimeout {
		p.relation(nameFulfilmentTimeout, shortest(w.FulfilmentTimeout), "must be below %s, which is %s", nameAttemptTimeout, shortest(w.AttemptTimeout))
	}
	if s.has(nameFulfilmentSecret) && !s.has(nameFulfilmentURL) {
		p.relation(nameFulfilmentSecret, "", "must not be set without %s, as nothing else is signed", nameFulfilmentURL)
	}
}

// relateSlots checks that every lane has a slot.
func (p *problems) relateSlots(w Worker) {
	lanes, reserved := strconv.Itoa(w.Lanes), strconv.Itoa(w.ReservedCritical)
	manyLanes, manyReserved := w.Lanes > w.Concurrency, w.ReservedCritical >= w.Concurrency
	if manyLanes {
		p.relation(nameLanes, lanes, "must not be above %s, which is %d", nameConcurrency, w.Concurrency)
	}
	if manyReserved {
		p.relation(nameReserved, reserved, "must be below %s, which is %d", nameConcurrency, w.Concurrency)
	}
	if !manyLanes && !manyReserved && w.Concurrency-w.ReservedCritical < w.Lanes {
		p.relation(nameReserved, reserved, "must leave %s, which is %d, at least one slot each of %s, which is %d",
			nameLanes, w.Lanes, nameConcurrency, w.Concurrency)
	}
}

// shortest writes a duration without zeros at its end: 24h, not 24h0m0s.
func shortest(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func (p *problems) relation(name, value, format string, args ...any) {
	p.add(Problem{Name: name, Value: value, Message: fmt.Sprintf(format, args...)})
}
