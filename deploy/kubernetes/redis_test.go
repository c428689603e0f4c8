package kubernetes_test

import (
	"slices"
	"strings"
	"testing"
)

// TestRedisOfTryHasItsPlace holds what deploy/redis.conf leaves open: the data lies on
// the volume, and other pods are answered, as a policy says who reaches it.
func TestRedisOfTryHasItsPlace(t *testing.T) {
	t.Parallel()
	m := parse(t, render(t, "overlays/try"))
	redis := m.workloads()["redis"].Template.Spec.Containers[0]
	command := strings.Join(redis.Command, " ")
	for _, setting := range []string{"--dir /data", "--bind * -::*", "--protected-mode no"} {
		if !strings.Contains(command, setting) {
			t.Errorf("it is started with %q, without %s", command, setting)
		}
	}
	if !slices.Contains(redis.Mounts, mount{"data", "/data"}) {
		t.Errorf("it has no volume at /data, but %v", redis.Mounts)
	}
}
