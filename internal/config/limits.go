package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"orderprocessor/internal/order"
)

// The bounds of every number and duration, each with its reason. They keep out
// slips of the pen, not ambition.
const (
	minRetention = time.Second          // a client can still read what it was told, if it is quick
	maxRetention = 365 * 24 * time.Hour // beyond a year an archive serves better than Redis

	minAttempts = 1
	maxAttempts = 100 // every attempt is kept in the order's record

	minAttemptTimeout = 100 * time.Millisecond // a call to fulfilment, and its books
	maxAttemptTimeout = time.Hour              // a slot that hangs is lost to the worker for that long

	minShutdownTimeout = 100 * time.Millisecond
	maxShutdownTimeout = time.Hour // the longest attempt

	minQueueLength = 1
	maxQueueLength = 10_000_000 // some 20 GB of orders, more than one Redis should hold

	maxRate = 1_000_000 // requests a second, more than one Redis can count

	maxAPIKeys      = 1000    // each request is compared with all of them
	maxKeyNameChars = 64      // it stands in every line of the access log
	maxKeyFileBytes = 1 << 20 // a thousand keys, and a long story beside each

	minConcurrency = 1
	maxConcurrency = 4096 // each slot may hold a connection to fulfilment

	minLanes = 1
	maxLanes = 64 // each lane has a heartbeat of its own and runs a dozen goroutines

	minWeight = 1   // with 0 a queue were never served
	maxWeight = 100 // a larger ratio starves the smallest queue

	minRetryBase = time.Millisecond // below it a retry is a busy loop
	maxRetryBase = time.Hour
	maxRetryMax  = 24 * time.Hour // a retry that is due later is no longer noticed

	minFulfilmentTimeout = 10 * time.Millisecond // a call within a data centre
	maxFulfilmentTimeout = maxAttemptTimeout

	minSecretBytes = 24 // Standard Webhooks, section on signature scheme
	maxSecretBytes = 64

	minMaxItems = 1
)

// rule says what one variable may hold.
type rule struct {
	name string
	// allowed completes the sentence "must be …".
	allowed string
	// hide says whether the value may hold a secret; nil means never.
	hide func(value string) bool
	ok   func(s *settings) bool
	// why returns a refusal of a value that is not ok, where one says more than
	// allowed; nil, and a nil function, say nothing. Unless shown, it quotes nothing.
	why func(value string, shown bool) error
}

// rules lists a rule for every variable, in the order of the structs.
func rules() []rule {
	return slices.Concat(commonRules(), apiRules(), workerRules(), fulfilmentRules())
}

func commonRules() []rule {
	return []rule{
		{
			name: "REDIS_URL", allowed: redisForms, hide: always,
			ok: func(*settings) bool { return true }, // all of it is checked while it is parsed
		},
		span("ORDERS_RETENTION", minRetention, maxRetention, func(s *settings) time.Duration { return s.api.Retention }),
		count("ORDERS_MAX_ATTEMPTS", minAttempts, maxAttempts, func(s *settings) int { return s.api.MaxAttempts }),
		span(nameAttemptTimeout, minAttemptTimeout, maxAttemptTimeout, func(s *settings) time.Duration { return s.api.AttemptTimeout }),
		span("ORDERS_SHUTDOWN_TIMEOUT", minShutdownTimeout, maxShutdownTimeout, func(s *settings) time.Duration { return s.api.ShutdownTimeout }),
		amount("ORDERS_HIGH_VALUE_ABOVE", 0, func(s *settings) order.Money { return s.api.HighValueAbove }),
		amount("ORDERS_MAX_AMOUNT", 1, func(s *settings) order.Money { return s.api.MaxAmount }),
		count("ORDERS_MAX_ITEMS", minMaxItems, order.MaxItems, func(s *settings) int { return s.api.MaxItems }),
		oneOf("ORDERS_LOG_LEVEL", "debug", "info", "warn", "error"),
		oneOf("ORDERS_LOG_FORMAT", string(LogText), string(LogJSON)),
	}
}

func apiRules() []rule {
	return []rule{
		address(nameHTTPAddr),
		address("ORDERS_ADMIN_ADDR"),
		count("ORDERS_MAX_QUEUE_LENGTH", minQueueLength, maxQueueLength, func(s *settings) int { return s.api.MaxQueueLength }),
		oneOf("ORDERS_MONITORING_WRITABLE", "true", "false"),
		{
			name: nameKeys, hide: always,
			allowed: "name:scopes:hash between commas, as `orderctl keys new` writes it; its value is not shown",
			ok:      func(*settings) bool { return true }, // all of it is checked while it is parsed
		},
		{
			name: nameKeysFile, hide: always,
			allowed: "a file with name:scopes:hash on each line, as `orderctl keys new` writes it; its name is not shown",
			ok:      func(*settings) bool { return true }, // a worker does not read it
		},
		oneOf(nameInsecure, "true", "false"),
		count("ORDERS_RATE_LIMIT", 0, maxRate, func(s *settings) int { return s.api.RateLimit }),
		count("ORDERS_RATE_BURST", 0, maxRate, func(s *settings) int { return s.api.RateBurst }),
	}
}

func workerRules() []rule {
	return []rule{
		count(nameConcurrency, minConcurrency, maxConcurrency, func(s *settings) int { return s.worker.Concurrency }),
		count(nameLanes, minLanes, maxLanes, func(s *settings) int { return s.worker.Lanes }),
		count(nameReserved, 0, maxConcurrency-1, func(s *settings) int { return s.worker.ReservedCritical }),
		oneOf("ORDERS_WORKER_PREFETCH", "true", "false"),
		{
			name:    "ORDERS_QUEUE_WEIGHTS",
			allowed: fmt.Sprintf("like %s: each queue once, with a whole number from %d to %d", writeWeights(defaultWeights()), minWeight, maxWeight),
			ok:      func(s *settings) bool { return goodWeights(s.worker.QueueWeights) },
		},
		span(nameRetryBase, minRetryBase, maxRetryBase, func(s *settings) time.Duration { return s.worker.RetryBase }),
		span(nameRetryMax, minRetryBase, maxRetryMax, func(s *settings) time.Duration { return s.worker.RetryMax }),
	}
}

func fulfilmentRules() []rule {
	return []rule{
		{
			name: nameFulfilmentURL, allowed: "an absolute http or https URL with a host and without a user or password",
			hide: func(value string) bool { return strings.ContainsAny(value, "@?") },
			ok:   func(s *settings) bool { return !s.has(nameFulfilmentURL) || goodURL(s.worker.FulfilmentURL) },
			why:  whyNotURL,
		},
		{
			name: nameFulfilmentSecret, hide: always,
			allowed: fmt.Sprintf("base64 of %d to %d bytes, with or without whsec_ in front", minSecretBytes, maxSecretBytes),
			ok:      func(s *settings) bool { return !s.has(nameFulfilmentSecret) || goodSecret(s.worker.FulfilmentSecret) },
		},
		span(nameFulfilmentTimeout, minFulfilmentTimeout, maxFulfilmentTimeout, func(s *settings) time.Duration { return s.worker.FulfilmentTimeout }),
	}
}

func always(string) bool { return true }

func count(name string, lowest, highest int, get func(*settings) int) rule {
	return rule{name: name, allowed: fmt.Sprintf("a whole number from %d to %d", lowest, highest), ok: func(s *settings) bool {
		return get(s) >= lowest && get(s) <= highest
	}}
}

func span(name string, shortest, longest time.Duration, get func(*settings) time.Duration) rule {
	return rule{name: name, allowed: between(shortest, longest), ok: func(s *settings) bool {
		return get(s) >= shortest && get(s) <= longest
	}}
}

func between(shortest, longest time.Duration) string {
	return fmt.Sprintf("a duration such as 1m30s, from %s to %s", brief(shortest), brief(longest))
}

// brief writes a duration without the zeros at its end: 24h, not 24h0m0s.
func brief(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func amount(name string, least order.Money, get func(*settings) order.Money) rule {
	return rule{name: name, allowed: fmt.Sprintf("an amount from %s to %s with at most two decimals", least, order.MaxMoney), ok: func(s *settings) bool {
		return get(s) >= least && get(s) <= order.MaxMoney
	}}
}

func oneOf(name string, values ...string) rule {
	return rule{name: name, allowed: strings.Join(values[:len(values)-1], ", ") + " or " + values[len(values)-1], ok: func(s *settings) bool {
		return !s.has(name) || slices.Contains(values, s.text[name])
	}}
}

func address(name string) rule {
	return rule{name: name, allowed: "host:port with a port from 0 to 65535", why: whyNotAddress, ok: func(s *settings) bool {
		return !s.has(name) || goodAddress(s.text[name])
	}}
}
