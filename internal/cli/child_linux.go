package cli

import "syscall"

// apart puts a child into a process group of its own, which Ctrl-C does not
// reach, and has it told to stop if this process is killed.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
