package systems

import "syscall"

// endWithParent has a child killed if this process is.
func endWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
