package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/config"
)

func TestRedisForms(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"redis://127.0.0.1:6379/0":                                    "redis://127.0.0.1:6379/0",
		"redis://cache":                                               "redis://cache:6379/0",
		"redis://u:p%40@cache:7000/2":                                 "redis://cache:7000/2",
		"redis://[::1]/1?pool_size=5":                                 "redis://[::1]:6379/1",
		"rediss://:p@cache?skip_verify=true":                          "rediss://cache:6379/0",
		"unix:///tmp/r.sock":                                          "unix:///tmp/r.sock?db=0",
		"unix://u:p@/tmp/r.sock?db=3":                                 "unix:///tmp/r.sock?db=3",
		"redis://u:p@a:26379/1?master_name=main":                      "redis://a:26379/1?master_name=main",
		"rediss://a:1/0?master_name=m&addr=b:2&username=u&password=p": "rediss://a:1/0?master_name=m&addr=b:2",
		"redis://u:p@a:1?addr=b:2&addr=c:3":                           "redis://a:1/0?addr=b:2&addr=c:3",
		"rediss://a:1/0?addr=b:2":                                     "rediss://a:1/0?addr=b:2",
	} {
		r, err := config.ParseRedis(url)
		if err != nil {
			t.Errorf("%s is refused: it %v", url, err)
			continue
		}
		if r.String() != want {
			t.Errorf("%s shows as %s, want %s", url, r, want)
		}
		again, err := config.ParseRedis(r.String())
		if err != nil || again.String() != want {
			t.Errorf("%s does not parse as what it shows: %v", url, err)
		}
	}
}

func TestRedisRefusals(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"", "127.0.0.1:6379", "http://cache", "redis://", "redis:///0", "redis://:6379", "redis:cache", "redis://cache:0",
		"redis://cache:65536", "redis://cache/x", "redis://cache/-1", "redis://cache/1/2", "redis://cache?x=1", "redis://cache?a;b",
		"redis://cache?pool_size=-1", "redis://cache?pool_size=10001", "redis://cache?pool_size=x", "redis://cache?protocol=4",
		"redis://cache?max_retries=-2", "redis://cache?read_timeout=x", "redis://cache?skip_verify=true",
		"unix://", "unix://relative/path", "unix:relative", "unix:///s?master_name=m", "unix:///s?addr=b:1",
		"redis://a?master_name=", "redis://a?master_name=m&addr=b", "redis://a?master_name=m&route_by_latency=true",
		"redis://a?master_name=m&replica_only=true", "redis://a?addr=b", "redis://a?addr=b:x", "redis://a?addr=u@b:1",
		"redis://a/1?addr=b:1", "redis://a?addr=b:1&db=1", "redis://a?addr=b:1&read_only=true", "redis://" + strings.Repeat("a", 9000),
	} {
		if r, err := config.ParseRedis(url); err == nil {
			t.Errorf("%s is accepted as %s", url, r)
		}
	}
}

// TestClients checks the options with which each kind of client is built.
func TestClients(t *testing.T) {
	t.Parallel()
	tuning := config.Tuning{PoolSize: 7, DialTimeout: time.Second, ReadTimeout: 2 * time.Second, WriteTimeout: 3 * time.Second, MaxRetries: 1}
	type options struct {
		Addr, Username, Password string
		DB, PoolSize, MaxRetries int
		Dial, Read, Write        time.Duration
		ByContext, Anonymous     bool
	}
	tuned := options{PoolSize: 7, MaxRetries: 1, Dial: time.Second, Read: 2 * time.Second, Write: 3 * time.Second, ByContext: true, Anonymous: true}
	single, socket, sentinel, cluster := tuned, tuned, tuned, tuned
	single.Addr, single.Username, single.Password, single.DB, single.PoolSize, single.Read = "a:1", "u", "p", 2, 9, 5*time.Second
	socket.Addr, socket.Password = "/tmp/r.sock", "p"
	sentinel.Addr, sentinel.Username, sentinel.Password, sentinel.DB = "FailoverClient", "u", "p", 1
	cluster.Addr, cluster.Password, cluster.MaxRetries, cluster.Read, cluster.Write = "a:1,b:2", "p", -1, time.Second, time.Second
	retrying := cluster
	retrying.MaxRetries = 1

	for url, want := range map[string]options{
		"redis://u:p@a:1/2?pool_size=9&read_timeout=5s":         single,
		"unix://:p@/tmp/r.sock":                                 socket,
		"redis://s:t@a/1?master_name=m&username=u&password=p":   sentinel,
		"redis://:p@a:1?addr=b:2":                               cluster,
		"redis://:p@a:1?addr=b:2&max_retries=1&dial_timeout=1s": retrying,
	} {
		r, err := config.ParseRedis(url)
		must(t, err)
		client := r.Client(tuning)
		t.Cleanup(func() { _ = client.Close() })
		var got options
		switch c := client.(type) {
		case *redis.Client:
			o := c.Options()
			got = options{o.Addr, o.Username, o.Password, o.DB, o.PoolSize, o.MaxRetries, o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.ContextTimeoutEnabled, o.DisableIdentity}
		case *redis.ClusterClient:
			o := c.Options()
			got = options{strings.Join(o.Addrs, ","), o.Username, o.Password, 0, o.PoolSize, o.MaxRetries, o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.ContextTimeoutEnabled, o.DisableIdentity}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, -want +got:\n%s", url, diff)
		}
	}
}
