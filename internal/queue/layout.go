package queue

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// asynqVersion is the version of Asynq whose keys this package knows. Asynq calls
// them private; the tests of this package hold them to what it really writes.
const (
	asynqPath    = "github.com/hibiken/asynq"
	asynqVersion = "v0.26.0"
)

// The scripts of that version that are run in another way than Asynq's own, by
// their SHA-1. Those of another version would be run as they are.
const (
	enqueueSHA = "98d28b42650870a743450ffda9791e9e19c6991b"
	dequeueSHA = "a8153319360adc71cdc370107f8ab9786f204765"
	doneSHA    = "1241eaa1c73409baaf1fea0c08d203a4911bda15"
)

// errLayout is an Asynq whose keys this package does not know.
var errLayout = errors.New("the layout of its keys in Redis is not known")

// checkLayout returns an error when the program is built with another version of
// Asynq than the one that this package may write beside. The binary of a test
// does not say what it is built with; the test of this function reads go.mod.
func checkLayout() error {
	info, ok := debug.ReadBuildInfo()
	if !ok || len(info.Deps) == 0 {
		return nil
	}
	return checkVersion(info.Deps)
}

func checkVersion(deps []*debug.Module) error {
	for _, m := range deps {
		if m.Path != asynqPath {
			continue
		}
		if m.Version != asynqVersion || m.Replace != nil {
			return fmt.Errorf("asynq %s instead of %s: %w", m.Version, asynqVersion, errLayout)
		}
		return nil
	}
	return fmt.Errorf("no asynq in this program: %w", errLayout)
}
