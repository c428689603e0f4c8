//go:build !linux

package httpserver

import (
	"net"
	"time"
)

// endUnacknowledged does nothing where the kernel has no such setting: the system decides
// when a client that has vanished from the network is given up.
func endUnacknowledged(net.Conn, time.Duration) {}
