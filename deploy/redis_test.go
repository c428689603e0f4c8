package deploy_test

import (
	"slices"
	"strings"
)

// checkRedis wants what the guarantees rest on.
func checkRedis(d documents) []string {
	var found sentences
	for name, want := range map[string]string{
		"appendonly": "yes", "maxmemory-policy": "noeviction", "no-appendfsync-on-rewrite": "no",
	} {
		if got := d.redis[name]; got != want {
			found.add("redis.conf has %s %q, not %q", name, got, want)
		}
	}
	if sync := d.redis["appendfsync"]; sync != "everysec" && sync != "always" {
		found.add("redis.conf has appendfsync %q, not everysec or always", sync)
	}
	if size := d.redis["maxmemory"]; size == "" || size == "0" {
		found.add("redis.conf has no maxmemory")
	}
	return found
}

// checkPlace wants redis.conf to fit any machine, open on none, and the container to
// say what is particular to it: its volume, and that the network protects it.
func checkPlace(d documents) []string {
	var found sentences
	for _, name := range []string{"dir", "bind", "protected-mode"} {
		if got, ok := d.redis[name]; ok {
			found.add("redis.conf has %s %q, which another machine has otherwise", name, got)
		}
	}
	redis := d.compose.Services["redis"]
	command := strings.Join(redis.Command, " ")
	for _, setting := range []string{"--dir /data", "--bind * -::*", "--protected-mode no"} {
		if !strings.Contains(command, setting) {
			found.add("service redis is started with %q, without %s", command, setting)
		}
	}
	if !slices.ContainsFunc(redis.Volumes, func(v volume) bool { return v.target == "/data" }) {
		found.add("service redis has no volume at /data")
	}
	return found
}
