package app

import (
	"context"
	"time"

	"orderprocessor/internal/ledger"
)

// announceInterval is a third of the time for which a program that announced itself counts
// as running.
const announceInterval = 10 * time.Second

// announce registers this program and its version in Redis until ctx ends, and then
// records that it stops. Only operators are told of that, so failures are logged for
// debugging only.
func (p *Program) announce(ctx context.Context) error {
	for ; ctx.Err() == nil; pause(ctx, announceInterval) {
		p.tryAnnounce(ctx, p.Ledger.Announce)
	}
	p.tryAnnounce(context.WithoutCancel(ctx), p.Ledger.Withdraw)
	return nil
}

func (p *Program) tryAnnounce(ctx context.Context, do func(context.Context, ledger.Program, time.Time) error) {
	ctx, cancel := context.WithTimeout(ctx, adminStopTimeout)
	defer cancel()
	now, err := p.Ledger.Now(ctx)
	if err == nil {
		err = do(ctx, p.self, now)
	}
	if err != nil {
		p.Log.Debug("this program could not be registered in Redis", "error", err)
	}
}
