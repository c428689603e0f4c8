package config

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
)

// Punycode returns the ASCII form of a host name with other letters, as DNS has it, and
// "" for any other text. Settings must use that form, because not every client converts
// a name.
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

// refuseForeign refuses a host with letters outside ASCII, and names its ASCII form if
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

// checkHostPort accepts host:port with a port from lowest to 65535. Only with port 0
// allowed, the host may be empty.
func checkHostPort(text string, lowest uint64) error {
	host, port, err := net.SplitHostPort(text)
	if foreignErr := refuseForeign(host, lowest == 0); foreignErr != nil {
		return foreignErr
	}
	return allow(err == nil && goodPort(port, lowest) && (host == "" && lowest == 0 || goodHost(host)))
}

func goodPort(text string, lowest uint64) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return err == nil && port >= lowest
}

// goodHost reports whether the text is an IP address or could be a host name.
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
