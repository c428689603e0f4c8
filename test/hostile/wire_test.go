package hostile_test

import (
	"errors"
	"io"
	"net"
	"regexp"
	"strconv"
	"testing"
	"time"

	"orderprocessor/internal/programtest"
)

// dial opens a bare connection, which is closed with the test.
func (s *system) dial(t *testing.T) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c.(*net.TCPConn)
}

// statusLine begins every answer. No body of an answer here has the like.
var statusLine = regexp.MustCompile(`HTTP/1\.[01] (\d{3}) [A-Z]`)

// say sends bytes as they are, and returns the statuses of all answers until the
// API closes the connection.
func (s *system) say(t *testing.T, request string) []int {
	t.Helper()
	c := s.dial(t)
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(programtest.Patience)); err != nil {
		t.Fatal(err)
	}
	// The API may have closed before all is sent: what it has answered counts.
	_, _ = io.WriteString(c, request)
	_ = c.CloseWrite()
	text, err := io.ReadAll(c)
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		t.Errorf("the connection is still open after %v", programtest.Patience)
	}
	var codes []int
	for _, found := range statusLine.FindAllSubmatch(text, -1) {
		code, err := strconv.Atoi(string(found[1]))
		if err != nil {
			t.Fatal(err)
		}
		codes = append(codes, code)
	}
	return codes
}
