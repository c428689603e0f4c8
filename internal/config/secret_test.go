package config_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"orderprocessor/internal/config"
)

const password = "hunter2"

// TestNoPrintShowsASecret prints a whole configuration in every way.
func TestNoPrintShowsASecret(t *testing.T) {
	t.Parallel()
	key := secret(30)
	environ := []string{
		"ORDERS_FULFILMENT_URL=http://shop", "ORDERS_FULFILMENT_SECRET=" + key + " " + secret(31), "ORDERS_API_KEYS=shop:read:" + hashOf("a"),
	}
	for _, url := range []string{
		"redis://user:hunter2@host/0", "unix://user:hunter2@/tmp/redis.sock",
		"redis://user:hunter2@host/0?master_name=m&password=hunter2", "redis://:hunter2@host?addr=b:1",
	} {
		api, worker, err := config.LoadAll(append(environ, "REDIS_URL="+url))
		must(t, err)
		hidden := struct{ api config.API }{api} // fmt asks no methods in there
		printed := prints(t, api) + prints(t, worker) + prints(t, &worker) + prints(t, worker.FulfilmentSecret) +
			prints(t, worker.Redis) + fmt.Sprintf("%v %+v %#v", hidden, hidden, hidden)
		for _, bad := range []string{key, password, fmt.Sprintf("%x", password), fmt.Sprintf("%x", key)} {
			if strings.Contains(printed, bad) {
				t.Errorf("with %s: %s shows up in:\n%s", url, bad, printed)
			}
		}
		if all := prints(t, api) + prints(t, api.Keys[0]); strings.Contains(all, hashOf("a")) || strings.Contains(all, rawHash("a").Reveal()) {
			t.Errorf("the hash of a key shows up in:\n%s", all)
		}
		if !strings.Contains(printed, "[redacted]") {
			t.Error("a secret leaves no trace")
		}
	}
	if got := config.Secret(key).Reveal(); got != key {
		t.Errorf("revealed %q", got)
	}
}

// prints collects what every common way of printing makes of a value.
func prints(t *testing.T, v any) string {
	t.Helper()
	var text strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t"} {
		fmt.Fprintf(&text, verb+"\n", v)
	}
	slog.New(slog.NewTextHandler(&text, nil)).Info("configured", "config", v)
	slog.New(slog.NewJSONHandler(&text, nil)).Info("configured", "config", v)
	encoded, err := json.Marshal(v)
	must(t, err)
	text.Write(encoded)
	return text.String()
}

// TestNoErrorShowsASecret breaks each setting that contains a secret.
func TestNoErrorShowsASecret(t *testing.T) {
	t.Parallel()
	for _, entry := range []string{
		"REDIS_URL=" + password,
		"REDIS_URL=http://user:hunter2@host",
		"REDIS_URL=redis://user:hunter2@",
		"REDIS_URL=redis://user:hunter2@host:99999",
		"REDIS_URL=redis://user:hunter2%@host",
		"REDIS_URL=redis://user:1?hunter2@host:6379",
		"REDIS_URL=redis://user:1/hunter2@host:6379/0",
		"REDIS_URL=redis://host/hunter2",
		"REDIS_URL=redis://host/0?hunter2=1",
		"REDIS_URL=redis://host/0?read_timeout=hunter2",
		"REDIS_URL=redis://host?addr=hunter2",
		"ORDERS_FULFILMENT_SECRET=" + password,
		"ORDERS_FULFILMENT_SECRET=whsec_hunter2",
		"ORDERS_FULFILMENT_SECRET=" + secret(30) + " " + password,
		"ORDERS_FULFILMENT_URL=https://user:hunter2@shop",
		"ORDERS_FULFILMENT_URL=shop?token=hunter2",
		"ORDERS_FULFILMENT_SECRT=" + password,
		"ORDERS_API_KEYS=" + password,
		"ORDERS_API_KEYS=shop:hunter2:" + hashOf("a"),
		"ORDERS_API_KEYS=shop:read:hunter2",
		"ORDERS_API_KEYS=hunter2 :read:" + hashOf("a"),
		"ORDERS_API_KEYS_FILE=" + password,
		"ORDERS_API_KEYS_FILE=" + keyFile(t, "shop:read:hunter2"),
	} {
		_, _, err := config.LoadAll([]string{entry})
		if err == nil {
			t.Errorf("%s is accepted", entry)
			continue
		}
		if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, password) {
			t.Errorf("%s: the error shows the secret: %s", entry, text)
		}
	}
}
