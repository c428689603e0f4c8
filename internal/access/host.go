package access

import (
	"net"
	"net/netip"
	"strings"
)

// LocalHost reports whether the host of a request, with or without a port, is an IP
// address or localhost. No site can make those two names resolve to this machine, as
// it can with a name of its own (DNS rebinding).
func LocalHost(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	_, err = netip.ParseAddr(name)
	return err == nil || strings.EqualFold(name, "localhost")
}
