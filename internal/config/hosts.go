package config

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
)

// Punycode returns a host's name as DNS has it, in ASCII, if it is written in other
// letters; else it returns nothing. Not everything that opens connections would
// translate such a name, so that all settings want it translated.
func Punycode(host string) string {
	if !foreign(host) {
		return ""
	}
	name, err := idna.Lookup.ToASCII(host)
	if err != nil {
		return ""
	}
	return name
}

func foreign(host string) bool {
	return strings.ContainsFunc(host, func(r rune) bool { return r > unicode.MaxASCII })
}

// refuseForeign refuses a host in other letters than ASCII, and names what to write if
// that may be shown.
func refuseForeign(host string, shown bool) error {
	if !foreign(host) {
		return nil
	}
	const reason = "has a host in other letters than ASCII, to be written in punycode: "
	if name := Punycode(host); shown && name != "" {
		return refusal(reason + name)
	}
	return refusal(reason + "its parts begin with xn-- there")
}

// whyNotAddress says why goodAddress does not accept a text, where that helps.
func whyNotAddress(text string, shown bool) error {
	host, _, _ := net.SplitHostPort(text)
	return refuseForeign(host, shown)
}

// whyNotURL says why goodURL does not accept a text, where that helps.
func whyNotURL(text string, shown bool) error {
	if !strings.Contains(text, "://") {
		return refusal("has no http:// or https:// in front")
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil //nolint:nilerr // the error quotes the text
	}
	return refuseForeign(u.Hostname(), shown)
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
