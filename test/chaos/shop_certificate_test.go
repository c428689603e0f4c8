package chaos_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// expiring is a fault in which the certificate of a shop that speaks TLS has expired.
func expiring(s *system) (begin, end func()) {
	s.t.Helper()
	_, limit := answering(acceptAll)(s)
	authority := newAuthority(s.t)
	var current atomic.Pointer[tls.Certificate]
	current.Store(authority.issue(time.Hour))
	server := &http.Server{Handler: http.HandlerFunc(s.shop.serve), ErrorLog: log.New(io.Discard, "", 0)}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return current.Load(), nil },
	})
	if err != nil {
		s.t.Fatal(err)
	}
	server.SetKeepAlivesEnabled(false) // so that every call meets the present certificate
	go func() { _ = server.Serve(l) }()
	s.t.Cleanup(func() { _ = server.Close() })
	s.shop.url = "https://" + l.Addr().String() + "/fulfil"
	s.more = append(s.more, "SSL_CERT_FILE="+authority.file())
	begin = func() { current.Store(authority.issue(-time.Hour)) }
	return begin, func() {
		limit()
		current.Store(authority.issue(time.Hour))
	}
}

// authority issues certificates.
type authority struct {
	t    *testing.T
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	a.cert = &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true}
	a.cert.Raw = a.sign(a.cert, time.Hour)
	return a
}

// issue returns a certificate of 127.0.0.1 that is valid until then, from now on.
func (a *authority) issue(until time.Duration) *tls.Certificate {
	a.t.Helper()
	der := a.sign(&x509.Certificate{SerialNumber: big.NewInt(2), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}, until)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.key}
}

func (a *authority) sign(c *x509.Certificate, until time.Duration) []byte {
	a.t.Helper()
	c.NotBefore, c.NotAfter = time.Now().Add(-24*time.Hour), time.Now().Add(until)
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, &a.key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return der
}

// file writes the certificate of the authority, for SSL_CERT_FILE.
func (a *authority) file() string {
	a.t.Helper()
	path := filepath.Join(a.t.TempDir(), "authority.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}
