package config_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/config"
)

// withoutDefault has values of the settings that have no default or a trivial one.
func withoutDefault(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{
		"REDIS_URL":       "redis://user:pass%20@cache:7000/3?client_name=x",
		"ORDERS_API_KEYS": "shop:submit:" + hashOf("a"), "ORDERS_API_KEYS_FILE": keyFile(t, "ops:admin:"+hashOf("b")),
		"ORDERS_CURRENCIES":    "USD,EUR",
		"ORDERS_TRACE_URL":     "https://traces.example/{trace_id}",
		"ORDERS_ARCHIVE_URL":   "postgres://orders:secret@db.example/orders",
		"ORDERS_QUEUE_WEIGHTS": weights(""), "ORDERS_FULFILMENT_URL": "https://shop.example/hook", "ORDERS_FULFILMENT_SECRET": secret(32), "ORDERS_LOG_FORMAT": "json",
	}
}

// TestWhiteSpaceAroundEverySetting checks that white space and byte order marks around a
// value are ignored. It finds the settings in the structs, so that none is missed.
func TestWhiteSpaceAroundEverySetting(t *testing.T) {
	t.Parallel()
	values := withoutDefault(t)
	names := config.Names()
	for _, settings := range []reflect.Type{reflect.TypeFor[config.API](), reflect.TypeFor[config.Worker]()} {
		for _, f := range reflect.VisibleFields(settings) {
			if name := f.Tag.Get("env"); values[name] == "" {
				values[name] = f.Tag.Get("envDefault")
			}
		}
	}
	for _, name := range names {
		if values[name] == "" {
			t.Errorf("no value is known for %s", name)
		}
	}
	others := func(but string) (environ []string) {
		for _, name := range names {
			if name != but {
				environ = append(environ, name+"="+values[name])
			}
		}
		return environ
	}
	wantAPI, wantWorker, err := config.LoadAll(others(""))
	must(t, err)
	for _, name := range names {
		for _, around := range [][2]string{
			{"", "\n"}, {"", "\r\n"}, {" ", ""}, {"\t", " "}, {"\n\n", "\n"}, {"\u00a0", "\u3000"}, {"\v\f", "\u2028"}, {"\ufeff", "\n"},
		} {
			value := around[0] + values[name] + around[1]
			api, worker, err := config.LoadAll(append(others(name), name+"="+value))
			if err != nil {
				t.Errorf("%s=%q: %v", name, value, err)
				continue
			}
			wantAPI.KeysFile = api.KeysFile // compared by its contents
			if diff := cmp.Diff(wantAPI, api, byURL) + cmp.Diff(wantWorker, worker, byURL); diff != "" {
				t.Errorf("%s=%q (-want +got):\n%s", name, value, diff)
			}
			if api.KeysFile != values["ORDERS_API_KEYS_FILE"] {
				t.Errorf("%s=%q: the file is %q", name, value, api.KeysFile)
			}
		}
		if _, _, err := config.LoadAll(append(others(name), name+"= \t\n")); err != nil && name != "ORDERS_FULFILMENT_URL" {
			t.Errorf("%s of nothing but white space is not unset: %v", name, err)
		}
	}
	// A password keeps its blank where it is written as URLs have it.
	client, ok := wantAPI.Redis.Client(config.Tuning{}).(*redis.Client)
	if !ok || client.Options().Password != "pass " {
		t.Error("the password has lost its blank")
	}
	_ = client.Close()
	traced, err := config.LoadAPI([]string{"OTEL_TRACES_EXPORTER= otlp\n", "OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318\r\n", "OTEL_TRACES_SAMPLER_ARG= 0.5 "})
	if err != nil || !traced.Traces {
		t.Errorf("OpenTelemetry: %v, %v", traced.Traces, err)
	}
}

// TestForeignHosts checks that every setting with a host refuses letters outside ASCII,
// names the form of DNS unless it is secret, and accepts that form.
func TestForeignHosts(t *testing.T) {
	t.Parallel()
	const foreign, ascii = "bücher.example", "xn--bcher-kva.example"
	for name, value := range map[string]string{
		"ORDERS_HTTP_ADDR": "%s:8080", "ORDERS_ADMIN_ADDR": "%s:8081", "ORDERS_FULFILMENT_URL": "https://%s:8443/orders",
		"REDIS_URL": "redis://u:p@%s:6379/0", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://%s:4318", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://%s",
	} {
		set := func(host string) []string {
			return []string{"OTEL_TRACES_EXPORTER=otlp", "ORDERS_INSECURE=true", name + "=" + strings.ReplaceAll(value, "%s", host)}
		}
		for _, host := range []string{foreign, "почта.example", "日本.example", "b\u00fccher。example"} {
			_, _, err := config.LoadAll(set(host))
			if got := namesOf(t, err); !slices.Equal(got, []string{name}) || !strings.Contains(err.Error(), "punycode") || !strings.Contains(err.Error(), "xn--") {
				t.Errorf("%s of %s: %v", name, host, err)
			}
			if host == foreign && strings.HasPrefix(name, "ORDERS_") && !strings.Contains(err.Error(), ascii) {
				t.Errorf("%s does not name %s: %v", name, ascii, err)
			}
		}
		if _, _, err := config.LoadAll(set(ascii)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, url := range []string{"redis://a?addr=bücher.example:1", "redis://a?master_name=m&addr=bücher.example:1"} {
		if _, err := config.ParseRedis(url); err == nil || !strings.Contains(err.Error(), "punycode") {
			t.Errorf("%s: %v", url, err)
		}
	}
	for name, value := range map[string]string{"ORDERS_FULFILMENT_URL": "shop.example:8443/orders", "OTEL_EXPORTER_OTLP_ENDPOINT": "localhost:4318"} {
		_, _, err := config.LoadAll([]string{name + "=" + value})
		if err == nil || !strings.Contains(err.Error(), "has no http:// or https:// in front") {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
}
