package peers

import "syscall"

// apart puts a child into a process group of its own, which Ctrl-C does not
// reach, under its owner, and sends it SIGTERM if this process is killed.
func apart(owner *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: owner, Pdeathsig: syscall.SIGTERM}
}
