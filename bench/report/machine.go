package report

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"
)

// unknown is the value that cannot be read on this machine.
const unknown = "unknown"

// Machine describes what the figures were measured on. Without /proc most of it is
// unknown.
func Machine() []Fact {
	facts := []Fact{
		{"processor", unknown},
		{"cores", strconv.Itoa(runtime.NumCPU())},
		{"memory", unknown},
		{"kernel", unknown},
	}
	proc, err := procfs.NewDefaultFS()
	if err != nil {
		return facts
	}
	if cpus, err := proc.CPUInfo(); err == nil && len(cpus) > 0 {
		facts[0].Value = cpus[0].ModelName
	}
	if memory, err := proc.Meminfo(); err == nil && memory.MemTotalBytes != nil {
		facts[2].Value = fmt.Sprintf("%d MiB", *memory.MemTotalBytes>>20)
	}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		facts[3].Value = runtime.GOOS + " " + strings.TrimSpace(string(release))
	}
	return facts
}
