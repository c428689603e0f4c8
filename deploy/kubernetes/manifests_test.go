package kubernetes_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// object is what the checks need of any manifest. What is particular to a kind is
// decoded from the spec when it is needed.
type object struct {
	Kind     string
	Metadata struct {
		Name, Namespace string
		Labels          map[string]string
		Annotations     map[string]string
	}
	Data       map[string]string
	StringData map[string]string `yaml:"stringData"`
	Spec       yaml.Node
}

// workload is the spec of a Deployment, a StatefulSet or a Job.
type workload struct {
	Replicas *int
	Selector labelSelector
	Strategy struct {
		RollingUpdate struct {
			MaxUnavailable *int `yaml:"maxUnavailable"`
		} `yaml:"rollingUpdate"`
	}
	Template struct {
		Metadata struct{ Labels map[string]string }
		Spec     pod
	}
}

type pod struct {
	GraceSeconds int             `yaml:"terminationGracePeriodSeconds"`
	Token        *bool           `yaml:"automountServiceAccountToken"`
	ServiceLinks *bool           `yaml:"enableServiceLinks"`
	Security     securityContext `yaml:"securityContext"`
	Spread       []struct {
		LabelSelector labelSelector `yaml:"labelSelector"`
	} `yaml:"topologySpreadConstraints"`
	Containers []container
	Volumes    []volume
}

type securityContext struct {
	RunAsNonRoot bool                  `yaml:"runAsNonRoot"`
	RunAsUser    int                   `yaml:"runAsUser"`
	Profile      struct{ Type string } `yaml:"seccompProfile"`
	Escalation   *bool                 `yaml:"allowPrivilegeEscalation"`
	ReadOnly     bool                  `yaml:"readOnlyRootFilesystem"`
	Capabilities struct{ Drop []string }
}

type container struct {
	Name, Image string
	Command     []string
	Env         []variable
	EnvFrom     []struct {
		ConfigMap struct{ Name string } `yaml:"configMapRef"`
	} `yaml:"envFrom"`
	Ports []struct {
		Name   string
		Number int `yaml:"containerPort"`
	}
	Startup   probe `yaml:"startupProbe"`
	Ready     probe `yaml:"readinessProbe"`
	Live      probe `yaml:"livenessProbe"`
	Lifecycle struct {
		PreStop struct{ Sleep struct{ Seconds int } } `yaml:"preStop"`
	}
	Resources struct {
		Requests, Limits map[string]string
	}
	Security securityContext `yaml:"securityContext"`
	Mounts   []mount         `yaml:"volumeMounts"`
}

type mount struct {
	Name string
	Path string `yaml:"mountPath"`
}

type variable struct {
	Name, Value string
	From        struct {
		Secret secretKey `yaml:"secretKeyRef"`
	} `yaml:"valueFrom"`
}

type secretKey struct{ Name, Key string }

type probe struct {
	HTTP struct{ Path, Port string } `yaml:"httpGet"`
	Exec struct{ Command []string }
}

type volume struct {
	Name   string
	Secret struct {
		Name  string `yaml:"secretName"`
		Items []struct{ Key, Path string }
	}
	ConfigMap struct{ Name string } `yaml:"configMap"`
}

// labelSelector chooses by labels. Of the operators there is In alone.
type labelSelector struct {
	Labels      map[string]string `yaml:"matchLabels"`
	Expressions []struct {
		Key    string
		Values []string
	} `yaml:"matchExpressions"`
}

// matches says whether the labels are chosen. An empty selector chooses all.
func (s labelSelector) matches(labels map[string]string) bool {
	for name, value := range s.Labels {
		if labels[name] != value {
			return false
		}
	}
	for _, e := range s.Expressions {
		if !slices.Contains(e.Values, labels[e.Key]) {
			return false
		}
	}
	return true
}

// manifests is one rendering.
type manifests []object

func parse(t *testing.T, text string) manifests {
	t.Helper()
	all, err := decodeAll(text)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func decodeAll(text string) (manifests, error) {
	var all manifests
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		var o object
		err := decoder.Decode(&o)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
}

// specs returns the specs of a kind by name. What does not fit stays empty, which
// the checks complain of.
func specs[T any](all manifests, kinds ...string) map[string]T {
	found := map[string]T{}
	for _, o := range all {
		if slices.Contains(kinds, o.Kind) {
			var spec T
			_ = o.Spec.Decode(&spec)
			found[o.Metadata.Name] = spec
		}
	}
	return found
}

// workloads returns all that runs pods.
func (m manifests) workloads() map[string]workload {
	return specs[workload](m, "Deployment", "StatefulSet", "Job")
}

// programs returns the Deployments of ours.
func (m manifests) programs() map[string]workload { return specs[workload](m, "Deployment") }

// data returns what a ConfigMap holds.
func (m manifests) data(name string) (map[string]string, bool) {
	for _, o := range m {
		if o.Kind == "ConfigMap" && o.Metadata.Name == name {
			return o.Data, true
		}
	}
	return nil, false
}

// environ is what a container has, in the form of os.Environ(), with the secrets
// that the caller gives.
func (m manifests) environ(c container, secrets map[secretKey]string) []string {
	var entries []string
	for _, from := range c.EnvFrom {
		data, _ := m.data(from.ConfigMap.Name)
		for name, value := range data {
			entries = append(entries, name+"="+value)
		}
	}
	for _, v := range c.Env {
		value := v.Value
		if v.From.Secret.Name != "" {
			value = secrets[v.From.Secret]
		}
		entries = append(entries, v.Name+"="+value)
	}
	return entries
}

// value returns one variable of the container.
func (m manifests) value(c container, name string) string {
	found := ""
	for _, entry := range m.environ(c, nil) {
		if text, ok := strings.CutPrefix(entry, name+"="); ok {
			found = text
		}
	}
	return found
}
