package deploy_test

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// checkTargets wants every build to name a Dockerfile and a stage that exist.
func checkTargets(d documents) []string {
	var found sentences
	for _, name := range d.compose.builds() {
		b := d.compose.Services[name].Build
		if file := path.Join(b.Context, b.Dockerfile); b.Dockerfile == "" || !d.has(file) {
			found.add("service %s is built from %q, which does not exist", name, file)
		}
		if _, ok := d.docker.stage(b.Target); !ok {
			found.add("service %s is built from stage %q, which the Dockerfile lacks", name, b.Target)
		}
	}
	return found
}

// finals returns the stages that services are built from.
func (d documents) finals() []stage {
	var stages []stage
	for _, name := range d.compose.builds() {
		if s, ok := d.docker.stage(d.compose.Services[name].Build.Target); ok {
			stages = append(stages, s)
		}
	}
	return stages
}

// checkSources wants every COPY to find its source: in the repository and let in
// by .dockerignore, or in a stage further up.
func checkSources(d documents) []string {
	var found sentences
	for i, s := range d.docker {
		for _, one := range s.steps {
			sources, from := one.copies()
			if from != "" {
				if _, ok := d.docker[:i].stage(from); !ok {
					found.add("stage %s copies from stage %s, which does not stand above it", s.name, from)
				}
				continue
			}
			for _, source := range sources {
				if !d.has(source) || d.ignore.keepsOut(source) {
					found.add("stage %s copies %s, which does not exist or is kept out by .dockerignore", s.name, source)
				}
			}
		}
	}
	return found
}

// checkCommands wants every ./cmd/… that is built to exist.
func checkCommands(d documents) []string {
	var found sentences
	for _, s := range d.docker {
		for _, one := range s.steps {
			for word := range strings.FieldsSeq(one.args) {
				if strings.HasPrefix(word, "./cmd/") && !d.has(word) {
					found.add("stage %s builds %s, which does not exist", s.name, word)
				}
			}
		}
	}
	return found
}

// checkStatic wants no cgo where binaries are built, and that some are.
func checkStatic(d documents) []string {
	var found sentences
	builds := 0
	for _, s := range d.docker {
		for _, one := range s.steps {
			if one.verb != "RUN" || !strings.Contains(one.args, "go build") {
				continue
			}
			builds++
			if !slices.Contains(append(s.environ(), strings.Fields(one.args)...), "CGO_ENABLED=0") {
				found.add("stage %s builds without CGO_ENABLED=0", s.name)
			}
		}
	}
	if builds == 0 {
		found.add("the Dockerfile builds nothing")
	}
	return found
}

// checkUser wants final stages that say they do not run as root.
func checkUser(d documents) []string {
	var found sentences
	for _, s := range d.finals() {
		user, _, _ := strings.Cut(s.last("USER"), ":")
		if user == "" || user == "root" || user == "0" {
			found.add("stage %s runs as %q", s.name, user)
		}
	}
	return found
}

// checkEntrypoint wants the program to be process 1, so that it gets SIGTERM,
// and to be what was copied there.
func checkEntrypoint(d documents) []string {
	var found sentences
	for _, s := range d.finals() {
		words := s.entrypoint()
		if len(words) == 0 {
			found.add("stage %s lacks an ENTRYPOINT in exec form", s.name)
			continue
		}
		copied := slices.ContainsFunc(s.steps, func(one step) bool {
			return one.verb == "COPY" && strings.HasSuffix(one.args, " "+words[0])
		})
		if !copied {
			found.add("stage %s starts %s, which is not copied there", s.name, words[0])
		}
	}
	return found
}

// checkPinned wants every image from outside to carry a tag or a digest, and not
// the one that moves from version to version.
func checkPinned(d documents) []string {
	var found sentences
	for _, name := range slices.Sorted(maps.Keys(d.compose.Services)) {
		s := d.compose.Services[name]
		if s.Build == nil && !pinned(s.Image) {
			found.add("service %s runs the image %q, which is not pinned", name, s.Image)
		}
	}
	for _, s := range d.docker {
		if _, ours := d.docker.stage(s.base); !ours && !pinned(s.base) {
			found.add("stage %s begins with the image %q, which is not pinned", s.name, s.base)
		}
	}
	return found
}

func pinned(image string) bool {
	if strings.Contains(image, "@sha256:") {
		return true
	}
	_, tag, ok := strings.Cut(path.Base(image), ":")
	return ok && tag != "" && tag != "latest"
}
