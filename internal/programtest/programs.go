// Package programtest runs the real programs in tests. It builds them once for all tests
// of a package, runs each as a process, keeps its log, and ends it with the test. Process
// returns errors and can be used from any goroutine; TestProcess fails the test instead.
package programtest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
)

// Listening is a pattern for Await that returns the address of an API whose log is JSON.
const Listening = `"msg":"API is listening","addr":"([^"]+)"`

// Main builds the packages, which are commands, into a temporary folder, stores its name
// in dir, runs the tests and removes the folder. It returns the exit status: 1 without
// running a test if a package does not build. Call it from TestMain.
func Main(m *testing.M, dir *string, packages ...string) int {
	folder, err := os.MkdirTemp("", "programs")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }()
	*dir = folder
	build := exec.Command("go", append([]string{"build", "-o", folder}, packages...)...) //nolint:gosec,noctx // named in tests, which have not begun
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build the programs:", err)
		return 1
	}
	return m.Run()
}

// Need skips the test if a program is not installed, or fails it if CI is true.
func Need(tb testing.TB, program string) {
	tb.Helper()
	_, err := exec.LookPath(program)
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		tb.Fatalf("%s is needed: %v", program, err)
	default:
		tb.Skipf("skipped, as %s is needed: %v", program, err)
	}
}

// Settings returns an environment with free ports and a log in JSON, so that programs of
// several tests can run at the same time. The settings in more take precedence.
func Settings(more ...string) []string {
	return append([]string{"ORDERS_HTTP_ADDR=127.0.0.1:0", "ORDERS_ADMIN_ADDR=127.0.0.1:0", "ORDERS_LOG_FORMAT=json"}, more...)
}

// nextPort walks the ports below those that Linux gives to a listener of port 0 and to
// outgoing connections (from 32768), so no program takes a port between FreePorts and its use.
// It starts at random, as the tests of several packages run at the same time.
var nextPort = struct { //nolint:gochecknoglobals // shared by the tests of a process
	sync.Mutex
	port int
}{port: firstPort + rand.IntN(lastPort-firstPort)} //nolint:gosec // not a secret

const firstPort, lastPort = 12_000, 32_000

// FreePorts returns n unused TCP ports of 127.0.0.1, for programs that cannot choose one
// themselves. It returns no port twice.
func FreePorts(tb testing.TB, n int) []string {
	tb.Helper()
	nextPort.Lock()
	defer nextPort.Unlock()
	ports := make([]string, 0, n)
	for range lastPort - firstPort {
		if len(ports) == n {
			return ports
		}
		port := strconv.Itoa(nextPort.port)
		if nextPort.port++; nextPort.port == lastPort {
			nextPort.port = firstPort
		}
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			continue // in use
		}
		_ = l.Close()
		ports = append(ports, port)
	}
	tb.Fatalf("%d of %d ports are free", len(ports), n)
	return nil
}
