package config

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

const redisForms = "a redis://, rediss:// or unix:// URL" +
	" (with ?master_name=… for Sentinel, with ?addr=host:port for each further node of a Cluster); its value is not shown"

const (
	maxRedisNumber   = 10_000 // connections, retries and databases of one client
	maxRedisURLBytes = 8192   // room for some hundred nodes
)

// ParseRedis reads the forms of REDIS_URL. Its errors quote nothing of the URL.
//
//	redis://[user:password@]host[:6379][/db]             one server
//	rediss://…                                           the same over TLS
//	unix://[user:password@]/path/to/socket[?db=0]        one server on this machine
//	redis://[…@]host:26379/db?master_name=m[&addr=h:p]…  Sentinels; user and password are theirs,
//	                                                     username= and password= the server's
//	redis://[…@]host:6379?addr=host:port[&addr=h:p]…     Cluster, known by its addr parameters
//
// Beside these the parameters client_name, protocol, max_retries, pool_size,
// min_idle_conns, max_idle_conns and max_active_conns, the durations
// dial_timeout, read_timeout, write_timeout, pool_timeout, min_retry_backoff,
// max_retry_backoff, conn_max_idle_time and conn_max_lifetime, and, with
// rediss:// but not for a Cluster, skip_verify mean what they mean to go-redis.
// Its parameters that read from replicas are refused: the books would lag.
func ParseRedis(text string) (Redis, error) {
	if len(text) > maxRedisURLBytes {
		return Redis{}, refusal("is too long")
	}
	u, err := url.Parse(text)
	if err != nil {
		return Redis{}, refusal("is not a URL; are special characters in the password percent-encoded?")
	}
	parameters, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Redis{}, refusal("has parameters that cannot be read")
	}
	if err := checkRedisPlace(u); err != nil {
		return Redis{}, err
	}
	if err := checkRedisParameters(parameters); err != nil {
		return Redis{}, err
	}
	s, err := parseServer(text, u, parameters)
	if err != nil {
		return Redis{}, err
	}
	s.show(u.Scheme)
	return Redis{server: s}, nil
}

// UnmarshalText reads REDIS_URL as ParseRedis does.
func (r *Redis) UnmarshalText(text []byte) error {
	parsed, err := ParseRedis(string(text))
	if err != nil {
		return err
	}
	*r = parsed
	return nil
}

// checkRedisPlace refuses what go-redis replaces silently: without a host it
// goes to localhost.
func checkRedisPlace(u *url.URL) error {
	switch u.Scheme {
	case "unix":
		if u.Host != "" || !strings.HasPrefix(u.Path, "/") {
			return refusal("does not name an absolute path to a socket")
		}
	case "redis", "rediss":
		if err := refuseForeign(u.Hostname(), false); err != nil {
			return err
		}
		if !goodHost(u.Hostname()) {
			return refusal("names no host")
		}
		if u.Port() != "" && !goodPort(u.Port(), 1) {
			return refusal("has a port that is not within 1 to 65535")
		}
	default:
		return refusal("begins with none of them")
	}
	return nil
}

// redisNumbers lists the parameters that are whole numbers, with their bounds.
// go-redis takes any number, and some make its pool panic.
func redisNumbers() map[string][2]int {
	return map[string][2]int{
		"db":               {0, maxRedisNumber},
		"protocol":         {2, 3},
		"max_retries":      {-1, maxRedisNumber},
		"pool_size":        {0, maxRedisNumber},
		"min_idle_conns":   {0, maxRedisNumber},
		"max_idle_conns":   {0, maxRedisNumber},
		"max_active_conns": {0, maxRedisNumber},
	}
}

// checkRedisParameters lets through what ParseRedis documents.
func checkRedisParameters(parameters url.Values) error {
	others := []string{
		"master_name", "username", "password", "client_name", "skip_verify",
		"dial_timeout", "read_timeout", "write_timeout", "pool_timeout",
		"min_retry_backoff", "max_retry_backoff", "conn_max_idle_time", "conn_max_lifetime",
	}
	for _, addr := range parameters["addr"] {
		if err := whyNotAddress(addr, false); err != nil {
			return err
		}
	}
	numbers := redisNumbers()
	for name, values := range parameters {
		bounds, number := numbers[name]
		switch {
		case number && !withinAll(values, bounds):
			return refusal("has a number that is out of range in " + name)
		case name == "addr" && slices.ContainsFunc(values, notNode):
			return refusal("has an addr that is not host:port")
		case !number && name != "addr" && !slices.Contains(others, name):
			return refusal("has a parameter that is not supported")
		}
	}
	return nil
}

func withinAll(values []string, bounds [2]int) bool {
	return !slices.ContainsFunc(values, func(v string) bool {
		n, err := strconv.Atoi(v)
		return err != nil || n < bounds[0] || n > bounds[1]
	})
}

func notNode(addr string) bool {
	host, port, err := net.SplitHostPort(addr)
	return err != nil || !goodHost(host) || !goodPort(port, 1)
}

// parseServer picks the form. The errors of go-redis quote the URL, so none is
// passed on.
func parseServer(text string, u *url.URL, parameters url.Values) (*server, error) {
	var s server
	var err error
	db := 0
	switch {
	case parameters.Has("master_name"):
		if s.sentinel, err = redis.ParseFailoverURL(text); err == nil {
			db = s.sentinel.DB
		}
	case parameters.Has("addr"):
		s.cluster, err = redis.ParseClusterURL(text)
	default:
		if s.single, err = redis.ParseURL(text); err == nil {
			db = s.single.DB
		}
	}
	switch {
	case err != nil:
		return nil, refusal("has a database or parameter that does not fit its form")
	case db < 0 || db > maxRedisNumber:
		return nil, refusal("has a database that is out of range")
	case s.sentinel != nil && s.sentinel.MasterName == "":
		return nil, refusal("names no Sentinel master")
	case s.cluster != nil && strings.Trim(u.Path, "/0") != "":
		return nil, refusal("has a database other than 0, which a Cluster lacks")
	}
	return &s, nil
}
