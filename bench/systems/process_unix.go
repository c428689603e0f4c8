//go:build unix && !linux

package systems

import "syscall"

// endWithParent does nothing: only Linux can end a child with its parent.
func endWithParent(*syscall.SysProcAttr) {}
