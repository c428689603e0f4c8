package kubernetes_test

import (
	"encoding/base64"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// checkSecrets wants no secret in a manifest: in no variable, and in no Secret but
// one with an address that holds no password.
func checkSecrets(m manifests) []string {
	var found sentences
	hidden := []string{"REDIS_URL", "ORDERS_API_KEYS", "ORDERS_FULFILMENT_SECRET"}
	for name, w := range m.programs() {
		for _, c := range w.Template.Spec.Containers {
			for _, entry := range m.environ(c, nil) {
				if variable, value, _ := strings.Cut(entry, "="); value != "" && slices.Contains(hidden, variable) {
					found.add("%s shows %s", name, variable)
				}
			}
		}
	}
	for _, o := range m {
		if o.Kind == "Secret" && !harmless(o) {
			found.add("Secret %s holds a value", o.Metadata.Name)
		}
	}
	return found
}

// harmless says whether a Secret holds nothing but addresses without a user.
func harmless(o object) bool {
	for _, encoded := range o.Data {
		text, _ := base64.StdEncoding.DecodeString(encoded) // what is not base64 has no host
		u, err := url.Parse(string(text))
		if err != nil || u.Host == "" || u.User != nil {
			return false
		}
	}
	return len(o.StringData) == 0
}

// checkReferences wants everything that a pod refers to to be in the rendering or
// in the example of the Secrets, and the file of keys to be mounted where the API
// looks.
func checkReferences(m manifests) []string {
	var found sentences
	for name, w := range m.workloads() {
		p := w.Template.Spec
		for _, key := range p.secretKeys() {
			if !m.holds(key) {
				found.add("%s needs %s of Secret %s, which nobody makes", name, key.Key, key.Name)
			}
		}
		for _, config := range p.configMaps() {
			if _, ok := m.data(config); !ok {
				found.add("%s needs ConfigMap %s, which nobody makes", name, config)
			}
		}
		for _, c := range p.Containers {
			if file := m.value(c, "ORDERS_API_KEYS_FILE"); file != "" && !slices.Contains(p.files(c), file) {
				found.add("%s reads keys from %s, but has %q", name, file, p.files(c))
			}
		}
	}
	return found
}

// secretKeys returns every key of a Secret that a pod needs.
func (p pod) secretKeys() []secretKey {
	var keys []secretKey
	for _, c := range p.Containers {
		for _, v := range c.Env {
			if v.From.Secret.Name != "" {
				keys = append(keys, v.From.Secret)
			}
		}
	}
	for _, v := range p.Volumes {
		for _, item := range v.Secret.Items {
			keys = append(keys, secretKey{v.Secret.Name, item.Key})
		}
	}
	return keys
}

func (p pod) configMaps() []string {
	var names []string
	for _, c := range p.Containers {
		for _, from := range c.EnvFrom {
			names = append(names, from.ConfigMap.Name)
		}
	}
	for _, v := range p.Volumes {
		if v.ConfigMap.Name != "" {
			names = append(names, v.ConfigMap.Name)
		}
	}
	return names
}

// files returns the paths of what the container mounts from Secrets.
func (p pod) files(c container) []string {
	var paths []string
	for _, mount := range c.Mounts {
		for _, v := range p.Volumes {
			for _, item := range v.Secret.Items {
				if v.Name == mount.Name {
					paths = append(paths, path.Join(mount.Path, item.Path))
				}
			}
		}
	}
	return paths
}

// holds says whether the rendering has the key, or the example of the Secrets.
func (m manifests) holds(key secretKey) bool {
	for _, o := range slices.Concat(m, exampleSecrets()) {
		_, data := o.Data[key.Key]
		_, text := o.StringData[key.Key]
		if o.Kind == "Secret" && o.Metadata.Name == key.Name && (data || text) {
			return true
		}
	}
	return false
}

func exampleSecrets() manifests {
	text, err := os.ReadFile("secrets.example.yaml")
	if err != nil {
		return nil
	}
	all, _ := decodeAll(string(text)) // a test of its own reads the file
	return all
}

// TestExampleSecretsAreRefused holds that whoever forgets to replace them hears of
// it: no program starts with one of them.
func TestExampleSecretsAreRefused(t *testing.T) {
	t.Parallel()
	values := map[secretKey]string{}
	for _, o := range exampleSecrets() {
		for key, value := range o.StringData {
			values[secretKey{o.Metadata.Name, key}] = value
		}
	}
	keys := filepath.Join(t.TempDir(), "keys")
	write(t, keys, values[secretKey{"orderprocessor-api-keys", "keys"}])
	const open, shop = "ORDERS_INSECURE=true", "ORDERS_FULFILMENT_URL=https://shop.example.com/"
	for _, row := range []struct {
		name, program string
		environ       []string
	}{
		{"Redis", "api", []string{open, "REDIS_URL=" + values[secretKey{"orderprocessor-redis", "url"}]}},
		{"keys", "api", []string{open, "ORDERS_API_KEYS_FILE=" + keys}},
		{"signatures", "worker", []string{shop, "ORDERS_FULFILMENT_SECRET=" + values[secretKey{"orderprocessor-fulfilment", "secret"}]}},
	} {
		if err := load(row.program, row.environ); err == nil {
			t.Errorf("%s: the placeholder is taken", row.name)
		}
	}
}
