package cli

import "github.com/spf13/cobra"

// NewRoot returns the command that has all others.
func NewRoot() *cobra.Command { return newRoot(&World{}) }
