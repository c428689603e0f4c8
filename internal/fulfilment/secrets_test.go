package fulfilment

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestErrorsKeepSecrets(t *testing.T) {
	t.Parallel()
	const secret = "czNjcjN0czNjcjN0czNjcjN0" // base64 of a text with s3cr3t in it
	answers := map[string]func(w http.ResponseWriter){
		"refused order": func(w http.ResponseWriter) { w.WriteHeader(http.StatusTeapot) },
		"busy":          func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) },
		"redirect": func(w http.ResponseWriter) {
			w.Header().Set("Location", "/?k=s3cr3t")
			w.WriteHeader(http.StatusFound)
		},
		"broken off": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shop := newShop(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) { answer(w) })
			shop.Start()
			checkNoSecret(t, shop.URL, secret)
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		t.Parallel()
		checkNoSecret(t, closedURL(t), secret)
	})
	t.Run("not resolvable", func(t *testing.T) {
		t.Parallel()
		checkNoSecret(t, "http://shop.invalid", secret)
	})
}

func checkNoSecret(t *testing.T, base, secret string) {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	u.User, u.RawQuery = url.UserPassword("u-s3cr3t", "p-s3cr3t"), "token=q-s3cr3t"
	_, err = fulfil(newClient(t, Config{URL: u.String(), Secret: secret}))
	if err == nil {
		t.Fatal("the call went well")
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		if strings.Contains(e.Error(), "s3cr3t") || strings.Contains(e.Error(), secret) || strings.Contains(e.Error(), "\n") {
			t.Errorf("error tells a secret or spans lines: %q", e)
		}
	}
}
