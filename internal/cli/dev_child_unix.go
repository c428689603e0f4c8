//go:build unix && !linux

package cli

import "syscall"

// childAttributes puts a child into a process group of its own, which Ctrl-C does
// not reach.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
