package config

import (
	"encoding/base64"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"orderprocessor/internal/order"
)

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

// goodAddress says whether one can listen on the text: an empty host means all
// interfaces, port 0 any free port.
func goodAddress(text string) bool {
	host, port, err := net.SplitHostPort(text)
	return err == nil && goodPort(port, 0) && (host == "" || goodHost(host))
}

func goodPort(text string, lowest uint64) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return err == nil && port >= lowest
}

// goodHost says whether the text is an IP address or could be a host's name.
func goodHost(text string) bool {
	if _, err := netip.ParseAddr(text); err == nil {
		return true
	}
	return text != "" && strings.IndexFunc(text, notInHost) < 0
}

func notInHost(r rune) bool {
	letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	return !letter && r != '-' && r != '.' && r != '_'
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
