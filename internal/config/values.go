package config

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"orderprocessor/internal/order"
)

// defaultWeights is what each queue weighs unless it is set.
func defaultWeights() map[order.Queue]int {
	weights := map[order.Queue]int{}
	for _, q := range order.QueueSpecs() {
		weights[q.Name] = q.Weight
	}
	return weights
}

// writeWeights writes weights as parseWeights reads them.
func writeWeights(weights map[order.Queue]int) string {
	pairs := make([]string, 0, len(weights))
	for _, q := range order.Queues() {
		pairs = append(pairs, fmt.Sprintf("%s=%d", q, weights[q]))
	}
	return strings.Join(pairs, ",")
}

// parseWeights reads name=weight pairs between commas. A queue that is named
// twice is refused, as one of the two were ignored.
func parseWeights(text string) (map[order.Queue]int, error) {
	weights := make(map[order.Queue]int, len(order.Queues()))
	for pair := range strings.SplitSeq(text, ",") {
		name, number, _ := strings.Cut(pair, "=")
		weight, err := strconv.Atoi(number)
		if err != nil {
			return nil, refusal("has a weight that is not a whole number")
		}
		if _, twice := weights[order.Queue(name)]; twice {
			return nil, refusal("names a queue twice")
		}
		weights[order.Queue(name)] = weight
	}
	return weights, nil
}

// goodWeights says whether exactly our queues have a weight within bounds.
func goodWeights(weights map[order.Queue]int) bool {
	for _, q := range order.Queues() {
		if weights[q] < minWeight || weights[q] > maxWeight {
			return false
		}
	}
	return len(weights) == len(order.Queues())
}

// goodURL says whether fulfilment can be called there. A user or password is
// refused because the URL is logged; the calls are signed instead.
func goodURL(text string) bool {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") {
		return false
	}
	return u.User == nil && goodHost(u.Hostname()) && (u.Port() == "" || goodPort(u.Port(), 1))
}

// goodSecret says whether the text is a signing key of Standard Webhooks.
func goodSecret(s Secret) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s.Reveal(), "whsec_"))
	return err == nil && len(key) >= minSecretBytes && len(key) <= maxSecretBytes
}
