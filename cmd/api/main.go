// Command api accepts orders over HTTP, records them and queues them.
//
// The environment configures it. It exits with 0 after a signal to stop, 1 when it
// cannot go on and 2 when its configuration is wrong.
package main

import (
	"os"

	"orderprocessor/internal/app/apiapp"
)

func main() { os.Exit(apiapp.Main(os.Args[1:], os.Environ())) }
