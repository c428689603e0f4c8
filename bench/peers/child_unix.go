//go:build unix && !linux

package peers

import "syscall"

// apart puts a child into a process group of its own, which Ctrl-C does not
// reach, under its owner.
func apart(owner *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: owner}
}
