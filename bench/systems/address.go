package systems

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// errNoAddress is the error of a log without an address.
var errNoAddress = errors.New("no address in the log")

// addresses are what a program logs in one line when it listens.
type addresses struct {
	// HTTP serves clients.
	HTTP string `json:"addr"`
	// Admin answers probes.
	Admin string `json:"admin_addr"`
}

// readAddresses looks for them in the log; it returns errNoAddress until they are
// there.
func readAddresses(log string) (addresses, error) {
	file, err := os.Open(log) //nolint:gosec // a path of our own making
	if err != nil {
		return addresses{}, fmt.Errorf("read log: %w", err)
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var a addresses
		if err := json.Unmarshal(lines.Bytes(), &a); err == nil && a.HTTP != "" {
			return a, nil
		}
	}
	return addresses{}, errNoAddress
}
