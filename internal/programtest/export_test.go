package programtest

import "time"

// SetPatience changes how long to wait for a process. No wait may be in progress.
func (p *Process) SetPatience(d time.Duration) { p.patience = d }
