package deploy_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
	"orderprocessor/test/kit"
)

// certificates runs the script and returns the folder of what it made.
func certificates(t *testing.T, hosts ...string) string {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		need(t, "openssl", err)
	}
	dir := t.TempDir()
	out, err := exec.CommandContext(t.Context(), "../../deploy/tls/certificates.sh", append([]string{dir}, hosts...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("certificates.sh: %v\n%s", err, out)
	}
	return dir
}

// TestRedisOverTLS checks that the programs speak TLS to a Redis from the example
// when they trust its authority, and not otherwise.
func TestRedisOverTLS(t *testing.T) {
	t.Parallel()
	certs := certificates(t, "redis=127.0.0.1")
	port := programtest.FreePorts(t, 1)[0]
	dir := t.TempDir()
	base := kit.Example(t, "redis.conf", dir)
	conf := kit.Example(t, "tls/redis.conf", dir, "include /etc/redis/redis.conf", "include "+base,
		"tls-port 6379", "tls-port "+port, "/etc/redis/tls/", certs+"/")
	start(t, nil, redistest.Program(), conf, "--dir", dir, "--bind", "127.0.0.1")

	url := "REDIS_URL=rediss://127.0.0.1:" + port + "/0"
	f := startSystem(t, 1, url, "SSL_CERT_FILE="+filepath.Join(certs, "ca.crt"))
	f.submit("over-tls")
	f.settle("over-tls")

	admin := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + port, TLSConfig: trusting(t, certs)})
	t.Cleanup(func() { _ = admin.Close() })
	if plain := admin.ConfigGet(t.Context(), "port").Val()["port"]; plain != "0" {
		t.Errorf("Redis also listens in the clear, on port %q", plain)
	}

	stranger := startAPI(t, url)
	stranger.api.Await("certificate signed by unknown authority")
	unencrypted := startAPI(t, "REDIS_URL=redis://127.0.0.1:"+port+"/0")
	unencrypted.api.Await(`"msg":"waiting for Redis; not ready until it answers"`)
	for _, f := range []*system{stranger, unencrypted} {
		if got, err := f.Ask(http.MethodPost, "/orders", order("refused")); err != nil || got.Code != http.StatusServiceUnavailable {
			t.Errorf("an API that cannot reach Redis answered %d: %s, %v", got.Code, got.Body, err)
		}
	}
}

// trusting returns the settings of a client that trusts the authority of a folder.
func trusting(t *testing.T, certs string) *tls.Config {
	t.Helper()
	authority, err := os.ReadFile(filepath.Join(certs, "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(authority)
	return &tls.Config{RootCAs: trusted}
}
