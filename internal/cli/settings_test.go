package cli_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestWhiteSpaceAroundTheSettingsOfOrderctl checks that the variables of orderctl, its
// --api and its key files are read as all settings are.
func TestWhiteSpaceAroundTheSettingsOfOrderctl(t *testing.T) {
	t.Parallel()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer ok_right" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = w.Write([]byte(`{"by_status":{"pending":0}}`))
	}))
	t.Cleanup(api.Close)
	for _, row := range []struct {
		name    string
		environ []string
		args    []string
	}{
		{"variables", []string{"ORDERCTL_API=" + api.URL + "\n", "ORDERCTL_API_KEY= ok_right\r\n"}, nil},
		{"a mark in a variable", []string{"ORDERCTL_API= " + api.URL, "ORDERCTL_API_KEY=\ufeffok_right\n"}, nil},
		{"the flag", []string{"ORDERCTL_API_KEY=ok_right"}, []string{"--api", "\t" + api.URL + " \n"}},
		{"a key file with a mark", []string{"ORDERCTL_API=" + api.URL}, []string{"--key-file", keyFile(t, "\ufeffok_right\r\n")}},
		{"a key file in UTF-16", []string{"ORDERCTL_API=" + api.URL}, []string{"--key-file", keyFile(t, "\xff\xfeo\x00k\x00_\x00r\x00i\x00g\x00h\x00t\x00\r\x00\n\x00")}},
		{"a key file in UTF-16 the other way round", []string{"ORDERCTL_API=" + api.URL}, []string{"--key-file", keyFile(t, "\xfe\xff\x00o\x00k\x00_\x00r\x00i\x00g\x00h\x00t")}},
		{"an address of white space", []string{"ORDERCTL_API= \n", "ORDERCTL_API_KEY=ok_right"}, []string{"--api", api.URL}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			orderctlIn(t, world{environ: row.environ}, append([]string{"stats"}, row.args...)...).mustEnd(t, 0, `worker slots`)
		})
	}
	orderctlIn(t, world{environ: []string{"ORDERCTL_API=" + api.URL}}, "stats", "--key-file", keyFile(t, "\ufeff \r\n")).
		mustEnd(t, 2, `is empty`)
}

// TestAddressOfTheAPISaysWhatIsMissing checks that a wrong address names what is missing
// in it, or how it is written, and shows no password.
func TestAddressOfTheAPISaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	for address, says := range map[string]string{
		"localhost:8080":               `"localhost:8080": http:// is missing: http://localhost:8080\n`,
		"127.0.0.1:8080":               `http:// is missing: http://127\.0\.0\.1:8080\n`,
		"[::1]:8080":                   `http:// is missing: http://\[::1\]:8080\n`,
		"localhost":                    `must look like http://127\.0\.0\.1:8080, not "localhost": http:// is missing: http://localhost\n`,
		"orders.example.com/base":      `http:// is missing: http://orders\.example\.com/base\n`,
		"orders.example.com:443":       `http:// is missing: `,
		"user:secret@host:80":          `http:// is missing: http://user:xxxxx@host:80\n`,
		"ftp://host":                   `must look like http://127\.0\.0\.1:8080, not "ftp://host"\n`,
		"http://":                      `must look like`,
		"http://:8080":                 `must look like`,
		":8080":                        `must look like http://127\.0\.0\.1:8080`,
		"http://bücher.example:8080":   `punycode: xn--bcher-kva\.example\n`,
		"https://日本.example/":          `punycode: xn--wgv71a\.example\n`,
		"http://xn--bcher-kva.invalid": `no answer from the API`,
	} {
		for where, in := range map[string]world{"flag": {}, "variable": {environ: []string{"ORDERCTL_API=" + address}}} {
			t.Run(where+" "+address, func(t *testing.T) {
				t.Parallel()
				args := []string{"stats"}
				if where == "flag" {
					args = append(args, "--api", address)
				}
				status := 2
				if says == `no answer from the API` {
					status = 1
				}
				c := orderctlIn(t, in, args...)
				c.mustEnd(t, status, says)
				if text := c.stderr.String(); strings.Contains(text, "secret") {
					t.Errorf("the password is shown: %s", text)
				}
			})
		}
	}
}
