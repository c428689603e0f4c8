// Command worker processes the queued orders: it applies the rules and hands them to the shop.
//
// The environment configures it. It exits with 0 after a signal to stop, 1 when it
// cannot go on and 2 when its configuration is wrong.
package main

import (
	"os"

	"orderprocessor/internal/app/workerapp"
)

func main() { os.Exit(workerapp.Main(os.Args[1:], os.Environ())) }
