package systems

import "syscall"

// apart puts a child into a process group of its own, which Ctrl-C does not
// reach, and has it killed if this process is.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
