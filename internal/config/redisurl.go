package config

import (
	"errors"
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
//	redis://[…@]host:6379?addr=host:port[&addr=h:p]…     Cluster, recognised by its addr parameters
//
// The other parameters are those of go-redis, except that reading from replicas is
// refused: the books would lag.
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
	if err := checkRedisAddress(u); err != nil {
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

// checkRedisAddress refuses a missing host, which go-redis would silently replace by
// localhost.
func checkRedisAddress(u *url.URL) error {
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

// checkRedisParameters refuses what go-redis accepts and should not: numbers that make
// its pool panic, malformed nodes, and reading from replicas.
func checkRedisParameters(parameters url.Values) error {
	numbers := map[string][2]int{
		"db": {0, maxRedisNumber}, "protocol": {2, 3}, "max_retries": {-1, maxRedisNumber}, "pool_size": {0, maxRedisNumber},
		"min_idle_conns": {0, maxRedisNumber}, "max_idle_conns": {0, maxRedisNumber}, "max_active_conns": {0, maxRedisNumber},
	}
	replicas := []string{"read_only", "replica_only", "route_by_latency", "route_randomly", "use_disconnected_replicas"}
	for name, values := range parameters {
		if slices.Contains(replicas, name) {
			return refusal("reads from replicas, which lag")
		}
		for _, value := range values {
			if bounds, number := numbers[name]; number && !within(value, bounds) {
				return refusal("has a number that is out of range in " + name)
			}
			if name != "addr" {
				continue
			}
			var foreign refusal
			switch err := checkHostPort(value, 1); {
			case errors.As(err, &foreign):
				return err
			case err != nil:
				return refusal("has an addr that is not host:port")
			}
		}
	}
	return nil
}

func within(text string, bounds [2]int) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n >= bounds[0] && n <= bounds[1]
}

// parseServer chooses the form. The errors of go-redis quote the URL, so they are
// dropped.
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
