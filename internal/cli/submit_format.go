package cli

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// orderFormat is how the orders of a file are written.
type orderFormat string

const (
	ordersJSON orderFormat = "json"
	ordersCSV  orderFormat = "csv"
)

func (s *submitCommand) addFormatFlags(cmd *cobra.Command) {
	addChoice(cmd, &s.format, "format", "", []orderFormat{ordersJSON, ordersCSV}, "json or csv (default by the name of the file)")
	cmd.Flags().StringVar(&s.mapping, "mapping", "", "file that says which columns of CSV are which fields")
	_ = cmd.RegisterFlagCompletionFunc("mapping", cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)) // any file
}

// chooseFormat goes by the name of the file where no format is given.
func (s *submitCommand) chooseFormat(args []string) error {
	named := len(args) > 0 && strings.EqualFold(filepath.Ext(args[0]), ".csv")
	if s.format == "" && (named || s.mapping != "") {
		s.format = ordersCSV
	}
	if s.mapping != "" && s.format != ordersCSV {
		return usagef("--mapping goes with CSV")
	}
	return nil
}

// inputOf returns what opens the file in its format. It reads the mapping, but nothing of
// the file, which may be a pipe.
func (s *submitCommand) inputOf(file io.Reader) (open func() (orderInput, error), err error) {
	if s.format != ordersCSV {
		return func() (orderInput, error) { return newSubmitInput(file) }, nil
	}
	var mapping csvMapping
	if s.mapping != "" {
		if mapping, err = readMapping(s.mapping); err != nil {
			return nil, fmt.Errorf("read the mapping: %w", err)
		}
	}
	return func() (orderInput, error) { return newCSVInput(file, mapping) }, nil
}
