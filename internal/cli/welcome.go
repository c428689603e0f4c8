package cli

import (
	"net"
	"strings"

	"orderprocessor/internal/config"
)

// makeWay gives a free port to each address that nobody asked for and that is
// taken. Where any free port is asked for the API, the others take any as well.
func (d *dev) makeWay() {
	a := &d.apiConfig
	free := strings.HasSuffix(a.HTTPAddr, ":0")
	if d.http == "" && d.env("ORDERS_HTTP_ADDR") == "" {
		d.yield("the API", &a.HTTPAddr, false)
	}
	if d.env("ORDERS_ADMIN_ADDR") == "" {
		d.yield("the API's admin address", &a.AdminAddr, free)
	}
	d.yield("the worker's admin address", &d.workerConfig.AdminAddr, free)
}

func (d *dev) yield(what string, addr *string, free bool) {
	host, _, err := net.SplitHostPort(*addr)
	if err != nil {
		return
	}
	l, err := net.Listen("tcp", *addr)
	switch {
	case err == nil:
		_ = l.Close()
	case !free:
		d.printf("%s is taken, so %s is at a free port instead.\n", *addr, what)
	}
	if err != nil || free {
		*addr = net.JoinHostPort(host, "0")
	}
}

// reachable is the address to open for one that is listened on.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}

const banner = `
 ************************************************************************
 *  NOTHING IS KEPT: there is no redis-server on the PATH and no        *
 *  REDIS_URL, so a stand-in in memory takes its place. All orders are  *
 *  gone when this stops. It is for trying out only, never for real.    *
 ************************************************************************
`

// welcome tells everything that one can open, and how to begin.
func (d *dev) welcome(s *store, p programs, base string) {
	if s.standIn {
		d.printf("%s", banner)
	}
	d.printf("\nThe order service is running.\n\n")
	t := newTable(d.Stdout)
	t.row("  API", base)
	t.row("  health", base+"/health")
	t.row("  statistics", base+"/stats")
	t.row("  monitoring", base+"/monitoring")
	t.row("  API admin", "http://"+reachable(p.api.AdminAddr())+"/readyz")
	t.row("  worker admin", "http://"+reachable(p.worker.AdminAddr())+"/readyz")
	t.row("  orders kept", s.kept)
	_ = t.end()
	if d.sample > 0 {
		return
	}
	d.printf("\nSubmit an order:\n\n%s\n", curl(base))
	if base != defaultAPI {
		d.printf("\nFor the other commands: export %s=%s\n", apiVariable, base)
	}
}

// curl is a command that can be pasted into any shell.
func curl(base string) string {
	return "  curl -i " + base + `/orders -H 'Content-Type: application/json' \
    -d '{"amount": 129.90, "items": ["lamp", "desk"], "customer": "Ada Lovelace", "address": "12 High Street, London"}'`
}

// keptBy says where a Redis of somebody else is.
func keptBy(r config.Redis) string { return "in the Redis at " + r.String() }
