package app

import (
	"context"
	"time"

	"orderprocessor/internal/ledger"
)

// announceInterval is how often a program says that it runs, a third of how long it is
// remembered.
const announceInterval = 10 * time.Second

// The kinds of programs.
const (
	kindAPI    = "api"
	kindWorker = "worker"
)

// announce tells in Redis again and again that this program runs, and what it was built
// from, until ctx ends. Nobody waits for it: a failure is no more than a remark.
func (p *program) announce(ctx context.Context) error {
	for ; ctx.Err() == nil; pause(ctx, announceInterval) {
		p.remark(ctx, func(ctx context.Context) error {
			now, err := p.ledger.Now(ctx)
			if err != nil {
				return err
			}
			return p.ledger.Announce(ctx, p.self, now)
		})
	}
	p.remark(context.WithoutCancel(ctx), func(ctx context.Context) error { return p.ledger.Withdraw(ctx, p.self) })
	return nil
}

// remark does something that may fail.
func (p *program) remark(ctx context.Context, do func(context.Context) error) {
	ctx, cancel := context.WithTimeout(ctx, adminStopTimeout)
	defer cancel()
	if err := do(ctx); err != nil {
		p.Log.Debug("Redis does not know that this program runs", "error", err)
	}
}

func self(kind, name string) ledger.Program {
	return ledger.Program{Kind: kind, Name: name, Version: Version()}
}
