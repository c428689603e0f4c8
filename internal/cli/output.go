package cli

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/spf13/cobra"

	"orderprocessor/internal/order"
)

// format is how a command shows what it was asked for.
type format string

const (
	formatTable format = "table"
	formatJSON  format = "json"
)

// String implements pflag.Value.
func (f *format) String() string { return string(*f) }

// Type implements pflag.Value.
func (f *format) Type() string { return "table|json" }

// Set implements pflag.Value.
func (f *format) Set(text string) error {
	switch format(text) {
	case formatTable, formatJSON:
		*f = format(text)
		return nil
	default:
		return usagef("must be table or json")
	}
}

func addOutputFlag(cmd *cobra.Command, f *format) {
	*f = formatTable
	cmd.Flags().VarP(f, "output", "o", "for people or for programs")
	suggest(cmd, "output", []format{formatTable, formatJSON})
}

// printJSON writes what the API answered, indented: no number passes through a
// float, and what would mislead on a terminal is written by its number.
func (w *World) printJSON(answer json.RawMessage) error {
	var indented bytes.Buffer
	if err := json.Indent(&indented, bytes.TrimSpace(answer), "", "  "); err != nil {
		return errNotTheAPI
	}
	indented.WriteByte('\n')
	_, err := io.WriteString(w.Stdout, order.Escape(indented.String()))
	return err
}

// printLine writes what the API answered in one line as printJSON does, for
// commands with several answers.
func (w *World) printLine(answer json.RawMessage) error {
	var line bytes.Buffer
	if err := json.Compact(&line, answer); err != nil {
		return errNotTheAPI
	}
	line.WriteByte('\n')
	_, err := io.WriteString(w.Stdout, order.Escape(line.String()))
	return err
}
