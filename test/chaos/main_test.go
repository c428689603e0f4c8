// Package chaos_test ends, stops and disturbs the real programs while orders go
// through them, and proves from journals outside Redis that no order was lost,
// worked into the books twice, or counted wrongly.
//
// Every scenario is one test. It opens a system, which is a private Redis with
// an append-only file, API and worker processes and a shop; sends orders through
// a client; makes its faults; and concludes: the system comes to rest, and the
// auditor compares the journals of the client and the shop with the answers of the
// API. The last thing a run prints is a table of all scenarios.
//
// These variables of the environment steer a run:
//
//	CHAOS=long        the long forms, one after the other
//	CHAOS_SEED=n      repeats the choices of a run whose table shows that seed
//	CHAOS_DIR=path    keeps the journals there
//	CHAOS_REPORT=file writes the table of a long run there as well
package chaos_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"orderprocessor/internal/programtest"
)

// atOnce is how many scenarios the short run has going at the same time. They
// mostly wait for leases and intervals, so it is more than there are processors.
const atOnce = "8"

var (
	// binaries is the folder of the programs under test.
	binaries string
	// results collects a row from every scenario.
	results table
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

// run builds the programs, runs the scenarios and prints the table after them.
func run(m *testing.M) int {
	flag.Parse()
	if err := flag.Set("test.parallel", atOnce); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	status := programtest.Main(m, &binaries,
		"orderprocessor/cmd/api", "orderprocessor/cmd/worker", "orderprocessor/test/chaos/badworker")
	if err := results.publish(); err != nil {
		fmt.Fprintln(os.Stderr, "publish the table:", err)
		return 1
	}
	return status
}
