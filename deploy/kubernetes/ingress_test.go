package kubernetes_test

import (
	"strconv"
	"strings"
)

const (
	// batchMegabytes is the largest body that the API takes, MiB.
	batchMegabytes = 16
	// leastQuiet is how long a proxy must bear a silent GET /events, seconds: twice the
	// time between two signs of life, and more.
	leastQuiet = 30
)

// checkIngress wants the proxy to take what the API takes, and to hand events on.
func checkIngress(m manifests) []string {
	var found sentences
	for _, o := range m {
		if o.Kind != "Ingress" {
			continue
		}
		told := func(name string) string { return o.Metadata.Annotations["nginx.ingress.kubernetes.io/"+name] }
		if size, err := strconv.Atoi(strings.TrimSuffix(told("proxy-body-size"), "m")); err != nil || size <= batchMegabytes {
			found.add("Ingress %s refuses batches above %q", o.Metadata.Name, told("proxy-body-size"))
		}
		if told("proxy-buffering") != "off" {
			found.add("Ingress %s may hold events back", o.Metadata.Name)
		}
		if quiet, err := strconv.Atoi(told("proxy-read-timeout")); err != nil || quiet < leastQuiet {
			found.add("Ingress %s cuts events off after %q seconds", o.Metadata.Name, told("proxy-read-timeout"))
		}
	}
	return found
}
