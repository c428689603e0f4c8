package cli

import "syscall"

// childAttributes puts a child into a process group of its own, which Ctrl-C does
// not reach, and has it terminated if this process is killed.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
