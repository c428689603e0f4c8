package kubernetes_test

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"orderprocessor/internal/order"
)

// policy is the spec of a NetworkPolicy.
type policy struct {
	Pods    labelSelector `yaml:"podSelector"`
	Types   []string      `yaml:"policyTypes"`
	Ingress []struct {
		From  []map[string]any
		Ports []struct{ Port string }
	}
	Egress []struct {
		To    []map[string]any
		Ports []struct{ Port string }
	}
}

// chosen returns the workloads whose pods a selector chooses, sorted.
func (m manifests) chosen(s labelSelector) []string {
	var names []string
	for name, w := range m.workloads() {
		if s.matches(w.Template.Metadata.Labels) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// checkSpread wants the rules of spreading to be about the pods that have them.
func checkSpread(m manifests) []string {
	var found sentences
	for name, w := range m.programs() {
		if len(w.Template.Spec.Spread) < 2 {
			found.add("%s is not spread over machines and zones", name)
		}
		for _, s := range w.Template.Spec.Spread {
			if !slices.Equal(m.chosen(s.LabelSelector), []string{name}) {
				found.add("%s is spread with %q", name, m.chosen(s.LabelSelector))
			}
		}
	}
	return found
}

// checkBudgets wants one budget for each program, which lets nodes be drained.
func checkBudgets(m manifests) []string {
	var found sentences
	var covered []string
	for name, b := range specs[struct {
		Selector       labelSelector
		MaxUnavailable int `yaml:"maxUnavailable"`
	}](m, "PodDisruptionBudget") {
		covered = append(covered, m.chosen(b.Selector)...)
		if b.MaxUnavailable < 1 {
			found.add("budget %s lets no node be drained", name)
		}
	}
	slices.Sort(covered)
	if want := slices.Sorted(maps.Keys(m.programs())); !slices.Equal(covered, want) {
		found.add("budgets are for %q, not for %q", covered, want)
	}
	return found
}

// checkServices wants a Service to choose pods that have its port.
func checkServices(m manifests) []string {
	var found sentences
	for name, s := range specs[struct {
		Selector map[string]string
		Ports    []struct {
			Target string `yaml:"targetPort"`
		}
	}](m, "Service") {
		chosen := m.chosen(labelSelector{Labels: s.Selector})
		if len(chosen) != 1 || len(s.Ports) == 0 {
			found.add("Service %s is for %q", name, chosen)
			continue
		}
		for _, p := range s.Ports {
			if m.workloads()[chosen[0]].Template.Spec.Containers[0].port(p.Target) == 0 {
				found.add("Service %s wants port %q, which %s lacks", name, p.Target, chosen[0])
			}
		}
	}
	return found
}

// checkDenied wants everything that no rule allows to be denied.
func checkDenied(m manifests) []string {
	var found sentences
	for _, p := range specs[policy](m, "NetworkPolicy") {
		nothing := len(p.Ingress) == 0 && len(p.Egress) == 0 && len(p.Types) == 2
		if nothing && len(m.chosen(p.Pods)) == len(m.workloads()) {
			return nil
		}
	}
	found.add("no policy denies everything")
	return found
}

// checkPolicies wants every policy to be for pods that there are, and to name
// ports that they have.
func checkPolicies(m manifests) []string {
	var found sentences
	for name, p := range specs[policy](m, "NetworkPolicy") {
		chosen := m.chosen(p.Pods)
		if len(chosen) == 0 {
			found.add("policy %s is for no pod", name)
		}
		for _, rule := range p.Ingress {
			for _, port := range rule.Ports {
				for _, w := range chosen {
					if m.workloads()[w].Template.Spec.Containers[0].port(port.Port) == 0 {
						found.add("policy %s opens port %q, which %s lacks", name, port.Port, w)
					}
				}
			}
		}
	}
	return found
}

// checkStrangers wants nobody to come in who is not named, the shop to be for
// workers alone, and names to be found.
func checkStrangers(m manifests) []string {
	var found sentences
	reach := map[string][]string{}
	for name, p := range specs[policy](m, "NetworkPolicy") {
		for _, rule := range p.Ingress {
			if len(rule.From) == 0 || len(rule.Ports) == 0 || slices.ContainsFunc(rule.From, anybody) {
				found.add("policy %s lets anybody in, or to any port", name)
			}
		}
		for _, rule := range p.Egress {
			for _, port := range rule.Ports {
				reach[port.Port] = append(reach[port.Port], m.chosen(p.Pods)...)
			}
			if len(rule.Ports) == 0 {
				found.add("policy %s lets pods reach any port", name)
			}
		}
	}
	both := []string{"orderprocessor-api", "orderprocessor-worker"}
	for port, want := range map[string][]string{"53": both, "6379": both, "26379": both, "443": both[1:]} {
		slices.Sort(reach[port])
		if got := slices.Compact(reach[port]); !slices.Equal(got, want) {
			found.add("port %s is reached by %q, not %q", port, got, want)
		}
	}
	return found
}

// anybody says whether a peer is everybody: a selector that chooses all.
func anybody(peer map[string]any) bool {
	for _, selector := range peer {
		if s, ok := selector.(map[string]any); ok && len(s) > 0 {
			return false
		}
	}
	return true
}

// scaler is the spec of an autoscaler of either kind.
type scaler struct {
	Target   struct{ Name string } `yaml:"scaleTargetRef"`
	Least    int                   `yaml:"minReplicas"`
	Most     int                   `yaml:"maxReplicas"`
	LeastOf  int                   `yaml:"minReplicaCount"`
	MostOf   int                   `yaml:"maxReplicaCount"`
	Triggers []struct {
		Metadata struct {
			URL           string
			ValueLocation string `yaml:"valueLocation"`
			TargetValue   string `yaml:"targetValue"`
		}
	}
}

// checkScaled wants one master for the number of pods, two pods at least, and a
// trigger for each queue that asks the API.
func checkScaled(m manifests) []string {
	var found sentences
	masters := map[string]int{}
	for name, s := range specs[scaler](m, "HorizontalPodAutoscaler", "ScaledObject") {
		masters[s.Target.Name]++
		if w, ok := m.programs()[s.Target.Name]; !ok || w.Replicas != nil || masters[s.Target.Name] > 1 {
			found.add("%s scales %s, which is not there or has another master", name, s.Target.Name)
		}
		if least, most := s.Least+s.LeastOf, s.Most+s.MostOf; least < 2 || most <= least {
			found.add("%s scales from %d to %d", name, least, most)
		}
	}
	for name, s := range specs[scaler](m, "ScaledObject") {
		var queues []string
		for _, t := range s.Triggers {
			queue, _ := strings.CutPrefix(strings.TrimSuffix(t.Metadata.ValueLocation, ".oldest_pending_seconds"), "queues.")
			queues = append(queues, queue)
			if n, err := strconv.Atoi(t.Metadata.TargetValue); err != nil || n < 1 || !m.serves(t.Metadata.URL) {
				found.add("%s asks %s, which is not the API, or for %q", name, t.Metadata.URL, t.Metadata.TargetValue)
			}
		}
		for _, q := range order.Queues() {
			if !slices.Contains(queues, string(q)) {
				found.add("%s does not look at queue %s", name, q)
			}
		}
	}
	return found
}

// serves says whether an address is the statistics of our Service, in its
// namespace.
func (m manifests) serves(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Path == "/stats" && slices.ContainsFunc(m, func(o object) bool {
		return o.Kind == "Service" && u.Host == o.Metadata.Name+"."+o.Metadata.Namespace
	})
}
