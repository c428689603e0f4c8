// Command orderctl is the operator's and newcomer's tool: it runs the whole
// service on one machine, submits orders from files, shows what became of them,
// cancels and retries them, stops queues, and makes keys to the API.
package main

import (
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"orderprocessor/internal/app"
	"orderprocessor/internal/cli"
	"orderprocessor/internal/config"
)

func main() { os.Exit(run()) }

func run() int {
	// A reader that goes away, as head does, must not kill the command: it gets
	// the error of the write, ends or goes on, and has its own exit status.
	signal.Ignore(syscall.SIGPIPE)
	app.TrimTraces(os.Environ())
	ctx, stop := app.SignalContext(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	defer stop()
	return cli.Run(ctx, cli.World{
		Args: os.Args[1:], Environ: os.Environ(),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		NewLog: func(c config.Common) *slog.Logger { return app.NewLog(os.Stderr, c) },
	})
}
