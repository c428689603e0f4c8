package programtest

import "time"

// SetPatience makes the waits for a process that nobody waits for yet another length.
func (p *Process) SetPatience(d time.Duration) { p.patience = d }
