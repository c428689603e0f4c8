package app

import (
	"context"
	"time"
)

// announceInterval is a third of the time for which the ledger remembers a program.
const announceInterval = 10 * time.Second

// announce registers this program and its version in Redis until ctx ends, and then
// removes it. Only the doctor reads that, so failures are logged for debugging only.
func (p *Program) announce(ctx context.Context) error {
	for ; ctx.Err() == nil; pause(ctx, announceInterval) {
		p.tryAnnounce(ctx, func(ctx context.Context) error {
			now, err := p.Ledger.Now(ctx)
			if err != nil {
				return err
			}
			return p.Ledger.Announce(ctx, p.self, now)
		})
	}
	p.tryAnnounce(context.WithoutCancel(ctx), func(ctx context.Context) error { return p.Ledger.Withdraw(ctx, p.self) })
	return nil
}

func (p *Program) tryAnnounce(ctx context.Context, do func(context.Context) error) {
	ctx, cancel := context.WithTimeout(ctx, adminStopTimeout)
	defer cancel()
	if err := do(ctx); err != nil {
		p.Log.Debug("this program could not be registered in Redis", "error", err)
	}
}
