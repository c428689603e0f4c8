// Package cli is orderctl, the command line of the operator and the newcomer, a
// file per command.
//
// It receives arguments and hands on requests to the API, as any other client
// does. Only dev starts programs of its own, doctor also asks Redis, books asks
// nothing else, and keys and rules check contact nothing. It owns the private Redis that dev starts and nothing else.
// What is durable after a command is what the API has answered.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"orderprocessor/internal/app"
	"orderprocessor/internal/client"
	"orderprocessor/internal/config"
	"orderprocessor/internal/order"
)

// World is what a command sees of the machine it runs on.
type World struct {
	// Args are the arguments, without the program's name.
	Args []string
	// Environ is the environment, in the form of os.Environ().
	Environ []string
	// Stdin, Stdout and Stderr are the standard streams. Many goroutines write log
	// lines to Stderr.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// LookPath finds a program; nil means on the PATH.
	LookPath func(name string) (string, error)
	// NewLog makes the log of the programs that dev runs; nil means plain text to
	// Stderr.
	NewLog func(config.Common) *slog.Logger
}

// Run executes the command and returns the exit status: app.ExitOK, app.ExitFailure,
// or app.ExitUsage for wrong arguments or a wrong environment. An error is one line
// on Stderr. Output that could not be written is an error too, unless its reader
// went away. Run returns soon after ctx ends.
func Run(ctx context.Context, w World) int {
	if w.LookPath == nil {
		w.LookPath = exec.LookPath
	}
	if w.NewLog == nil {
		w.NewLog = func(c config.Common) *slog.Logger {
			return slog.New(slog.NewTextHandler(w.Stderr, &slog.HandlerOptions{Level: c.LogLevel}))
		}
	}
	out := &output{to: w.Stdout}
	w.Stdout = out
	began := false
	root := newRoot(&w)
	root.PersistentPreRun = func(*cobra.Command, []string) { began = true }
	cmd, err := root.ExecuteContextC(ctx)
	began = began || err == nil // help and the like
	if err = out.withWriteError(err); err == nil {
		return app.ExitOK
	}
	w.warnf("%s", order.Escape(err.Error()))
	switch {
	case errors.As(err, new(*config.Error)):
		return app.ExitUsage
	case !began, errors.As(err, new(*usageError)):
		_, _ = fmt.Fprintf(w.Stderr, "Run \"%s --help\" to see how it is used.\n", cmd.CommandPath())
		return app.ExitUsage
	default:
		return app.ExitFailure
	}
}

// usageError is a mistake in the arguments. An error before a command begins is
// one as well.
type usageError struct{ reason string }

func (e *usageError) Error() string { return e.reason }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

const rootHelp = `orderctl runs the order service on this machine and talks to its API.

Try everything with one command. It uses a redis-server or valkey-server on
the PATH if there is one, and needs nothing else:

  orderctl dev --sample 200

The commands for orders and queues talk to the API at the address in --api or
ORDERCTL_API, by default on this machine, with the key in --key-file or
ORDERCTL_API_KEY if the API requires one. "orderctl completion --help" explains how
the shell completes commands, flags, statuses and queues.`

func newRoot(w *World) *cobra.Command {
	root := &cobra.Command{
		Use: "orderctl", Short: "Run the order service and talk to its API", Long: rootHelp,
		SilenceErrors: true, SilenceUsage: true, Version: app.Version(),
	}
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	root.AddCommand(newDev(w), newSubmit(w), newGet(w), newList(w), newExport(w), newFailures(w), newCancel(w), newRetry(w), newRelease(w), newReject(w),
		newQueues(w), newJobs(w), newAudit(w), newWorkers(w), newStats(w),
		newEvents(w), newWatch(w), newDoctor(w), newBooks(w), newLoad(w), newProve(w), newKeys(w), newRules(w))
	root.SetArgs(w.Args)
	root.SetIn(w.Stdin)
	root.SetOut(infallible{w.Stdout})
	root.SetErr(w.Stderr)
	return root
}

// env returns the value of a variable; of a name that occurs twice, the last.
func (w *World) env(name string) string {
	value := ""
	for _, entry := range w.Environ {
		if v, ok := strings.CutPrefix(entry, name+"="); ok {
			value = config.Trimmed(v)
		}
	}
	return value
}

// printf writes to standard output, which remembers a failure for Run.
func (w *World) printf(format string, args ...any) { _, _ = fmt.Fprintf(w.Stdout, format, args...) }

// warnf writes a line to standard error.
func (w *World) warnf(format string, args ...any) {
	_, _ = fmt.Fprintf(w.Stderr, "orderctl: "+format+"\n", args...)
}

// apiCommand is what the commands that talk to the API share.
type apiCommand struct {
	*World
	api    target
	output format
}

// addFlags adds the flags of the API, and --output.
func (c *apiCommand) addFlags(cmd *cobra.Command) {
	addAPIFlags(cmd, c.World, &c.api)
	addOutputFlag(cmd, &c.output)
}

// withClient makes a command of a function that needs a client of the API.
func (c *apiCommand) withClient(run func(ctx context.Context, api *client.Client, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		api, err := c.api.open(0)
		if err != nil {
			return err
		}
		defer api.Close()
		return run(cmd.Context(), api, args)
	}
}

// show returns a function that writes an answer as JSON, or as table does.
func show[T interface{ Text() json.RawMessage }](c *apiCommand, what string, table func(T)) func(T, error) error {
	return func(answer T, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("get %s: %w", what, err)
		case c.output == formatJSON:
			return c.printJSON(answer.Text())
		}
		table(answer)
		return nil
	}
}
