package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"orderprocessor/internal/order"
)

// suggest completes the values of a flag, in the order in which they are given.
func suggest[T ~string](cmd *cobra.Command, flag string, values []T) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(
		texts(values), cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveKeepOrder))
}

// completeFile completes the first argument with the names of files.
func completeFile(_ *cobra.Command, named []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(named) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveDefault
}

// completeQueues completes arguments with the queues that are not yet named.
func completeQueues(_ *cobra.Command, named []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	left := slices.DeleteFunc(texts(order.Queues()), func(name string) bool { return slices.Contains(named, name) })
	return left, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}
