package systems

import (
	"fmt"
	"time"

	"github.com/prometheus/procfs"
)

// Part is one program of a system.
type Part struct {
	// Name says what it does there: API, worker, or the name of its store.
	Name string
	*Process
}

// CPU returns how much processor time the process has used, without its children.
func (p *Process) CPU() (time.Duration, error) {
	stat, err := p.stat()
	return seconds(stat.CPUTime()), err
}

// FamilyCPU returns how much processor time the process and its children have used,
// user and system, among them the children that have ended. It does not count
// children of theirs that still run, which none of our programs has.
func (p *Process) FamilyCPU() (time.Duration, error) {
	parent, err := p.stat()
	if err != nil {
		return 0, err
	}
	used := family(parent)
	all, err := procfs.AllProcs()
	if err != nil {
		return 0, fmt.Errorf("list the processes: %w", err)
	}
	for _, other := range all {
		stat, err := other.Stat()
		if err == nil && stat.PPID == parent.PID { // an error: it has ended meanwhile
			used += family(stat)
		}
	}
	return used, nil
}

// family is the time of one process and of those children that it has waited for.
func family(stat procfs.ProcStat) time.Duration {
	stat.UTime += uint(stat.CUTime)
	stat.STime += uint(stat.CSTime)
	return seconds(stat.CPUTime())
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func (p *Process) stat() (procfs.ProcStat, error) {
	proc, err := procfs.NewProc(p.cmd.Process.Pid)
	if err != nil {
		return procfs.ProcStat{}, fmt.Errorf("read the figures of a process: %w", err)
	}
	return proc.Stat()
}
