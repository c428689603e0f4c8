package prefetch

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// The version of Asynq whose private keys and scripts are known. The tests of this
// package and of package queue compare them with what it really writes.
const (
	asynqPath    = "github.com/hibiken/asynq"
	asynqVersion = "v0.26.0"
)

// The SHA-1s of the scripts of that version that are replaced.
const (
	enqueueSHA = "98d28b42650870a743450ffda9791e9e19c6991b"
	dequeueSHA = "a8153319360adc71cdc370107f8ab9786f204765"
	doneSHA    = "1241eaa1c73409baaf1fea0c08d203a4911bda15"
)

// ErrVersion is returned when the private keys and scripts of Asynq are not known.
var ErrVersion = errors.New("the private keys and scripts of this version are not known")

// Supported returns ErrVersion, wrapped, when the program is linked with another
// version of Asynq than the one whose private keys and scripts are known. A test binary
// does not name its modules and counts as supported; a test compares go.mod instead.
func Supported() error {
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
			return fmt.Errorf("asynq %s instead of %s: %w", m.Version, asynqVersion, ErrVersion)
		}
		return nil
	}
	return fmt.Errorf("no asynq in this program: %w", ErrVersion)
}
