// Package cli is the command line of the operator and the newcomer: run the
// whole service in one process, submit orders from files, look at one order or
// at all of them, follow what happens, cancel and retry orders, pause queues, make
// keys to the API, look for what is wrong.
//
// It receives arguments and hands on requests to the API, which it talks to
// like any other client, with the key it is given; only dev starts programs of
// its own, doctor looks into Redis as well, and keys talks to nobody. It owns the private Redis that dev starts,
// and nothing else. What is durable after a command is what the API has answered.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"orderprocessor/internal/app"
	"orderprocessor/internal/config"
	"orderprocessor/internal/order"
)

// World is what a command sees of the machine it runs on.
type World struct {
	// Args are the arguments, without the program's name.
	Args []string
	// Environ is the environment, in the form of os.Environ().
	Environ []string
	// Stdin, Stdout and Stderr are the standard streams. Log lines go to Stderr
	// from many goroutines.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// LookPath finds a program; nil means on the PATH.
	LookPath func(name string) (string, error)
	// NewLog makes the log of the programs that dev runs; nil means plain text
	// to Stderr.
	NewLog func(config.Common) *slog.Logger
}

// Run does what the arguments ask and returns the exit status: app.ExitOK,
// app.ExitFailure, or app.ExitUsage for arguments or an environment that are
// wrong. An error is told in one line on Stderr; output that could not be written is
// one too, for every command, unless its reader went away. It returns soon after ctx
// ends.
func Run(ctx context.Context, w World) int {
	if w.LookPath == nil {
		w.LookPath = exec.LookPath
	}
	out := &output{to: w.Stdout}
	w.Stdout = out
	began := false
	root := newRoot(&w)
	root.PersistentPreRun = func(*cobra.Command, []string) { began = true }
	cmd, err := root.ExecuteContextC(ctx)
	began = began || err == nil // help and the like
	if err = out.verdict(err); err == nil {
		return app.ExitOK
	}
	_, _ = fmt.Fprintf(w.Stderr, "orderctl: %s\n", order.Escape(err.Error()))
	var wrong *usageError
	var settings *config.Error
	switch {
	case errors.As(err, &settings):
		return app.ExitUsage
	case !began, errors.As(err, &wrong):
		_, _ = fmt.Fprintf(w.Stderr, "Run \"%s --help\" to see how it is used.\n", cmd.CommandPath())
		return app.ExitUsage
	default:
		return app.ExitFailure
	}
}

// usageError is arguments that make no sense. Anything that fails before a
// command begins is one as well.
type usageError struct{ reason string }

func (e *usageError) Error() string { return e.reason }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

const rootHelp = `orderctl runs the order service on this machine and talks to its API.

Try everything with one command; a redis-server on the PATH is used if there
is one, and nothing else is needed:

  orderctl dev --sample 200

The commands for orders and queues talk to the API, here or at the address that
--api or ORDERCTL_API names, with the key that --key-file or ORDERCTL_API_KEY
holds, if it wants one. "orderctl completion --help" tells how the shell learns to
complete commands, flags, statuses and queues.`

func newRoot(w *World) *cobra.Command {
	root := &cobra.Command{
		Use: "orderctl", Short: "Run the order service and talk to its API", Long: rootHelp,
		SilenceErrors: true, SilenceUsage: true, Version: app.Version(),
	}
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	root.AddCommand(newDev(w), newSubmit(w), newGet(w), newList(w), newCancel(w), newRetry(w), newQueues(w), newStats(w), newEvents(w), newWatch(w), newDoctor(w), newLoad(w), newKeys(w))
	root.SetArgs(w.Args)
	root.SetIn(w.Stdin)
	root.SetOut(unheeded{w.Stdout})
	root.SetErr(w.Stderr)
	return root
}

// env returns the value of a variable, as all settings are read; of a name that occurs
// twice, the last.
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
