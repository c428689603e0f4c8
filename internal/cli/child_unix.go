//go:build unix && !linux

package cli

import "syscall"

// apart puts a child into a process group of its own, which Ctrl-C does not
// reach.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
