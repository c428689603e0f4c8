package config_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/config"
)

// withoutDefault are values of the settings that have no default, and of those where a
// default says nothing.
func withoutDefault(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{
		"REDIS_URL":       "redis://user:pass%20@cache:7000/3?client_name=x",
		"ORDERS_API_KEYS": "shop:submit:" + hashOf("a"), "ORDERS_API_KEYS_FILE": keyFile(t, "ops:admin:"+hashOf("b")),
		"ORDERS_QUEUE_WEIGHTS": "critical=6,default=3,low=1", "ORDERS_FULFILMENT_URL": "https://shop.example/hook", "ORDERS_FULFILMENT_SECRET": secret(32), "ORDERS_LOG_FORMAT": "json",
	}
}

// TestWhiteSpaceAroundEverySetting holds that white space at the ends of a value, and a
// byte order mark, do not belong to it, whichever setting it is: found in the structs,
// so that no setting can be left out.
func TestWhiteSpaceAroundEverySetting(t *testing.T) {
	t.Parallel()
	values := withoutDefault(t)
	var names []string
	for _, settings := range []reflect.Type{reflect.TypeFor[config.API](), reflect.TypeFor[config.Worker]()} {
		for _, f := range reflect.VisibleFields(settings) {
			name := f.Tag.Get("env")
			if name == "" {
				continue
			}
			if values[name] == "" {
				values[name] = f.Tag.Get("envDefault")
			}
			if values[name] == "" {
				t.Errorf("no value is known for %s", name)
			}
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if names = slices.Compact(names); !slices.Equal(names, config.Names()) {
		t.Fatalf("the structs have %v, the rules %v", names, config.Names())
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
	if err != nil {
		t.Fatal(err)
	}
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
			wantAPI.KeysFile = api.KeysFile // compared by what it holds
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

// TestKeyFilesOfEveryEditor holds that marks, line ends and UTF-16, as some editors and
// shells write them, do not matter.
func TestKeyFilesOfEveryEditor(t *testing.T) {
	t.Parallel()
	lines := "# keys\r\n\r\nshop:submit:" + hashOf("a") + "\r\n  ops:read+admin:" + hashOf("b") + " \r\n"
	inUTF16 := func(big bool) []byte {
		var text []byte
		for _, unit := range utf16.Encode([]rune("\ufeff" + lines)) {
			low, high := byte(unit), byte(unit>>8)
			if big {
				low, high = high, low
			}
			text = append(text, low, high)
		}
		return text
	}
	for name, text := range map[string][]byte{
		"CRLF": []byte(lines), "a mark": []byte("\ufeff" + lines), "a mark and LF": []byte("\ufeff" + strings.ReplaceAll(lines, "\r", "")),
		"UTF-16, little end first": inUTF16(false), "UTF-16, big end first": inUTF16(true), "no line end": []byte("\ufeff" + strings.TrimSpace(lines)),
		"a mark before a key": []byte("\ufeff" + strings.TrimPrefix(lines, "# keys\r\n\r\n")),
	} {
		path := filepath.Join(t.TempDir(), "keys")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		api, err := config.LoadAPI([]string{"ORDERS_API_KEYS_FILE=" + path})
		if err != nil || len(api.Keys) != 2 || api.Keys[0].Name != "shop" || api.Keys[1].Name != "ops" {
			t.Errorf("%s: %d keys, %v", name, len(api.Keys), err)
		}
	}
}

// TestForeignHostsNamePunycode holds that every setting with a host refuses one in other
// letters, says how DNS writes it where that is no secret, and takes it so.
func TestForeignHostsNamePunycode(t *testing.T) {
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
