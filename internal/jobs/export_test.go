package jobs

import "time"

// Hurry lets a runner wait so long after an error.
func (r *Runner) Hurry(wait time.Duration) { r.retryWait = wait }
