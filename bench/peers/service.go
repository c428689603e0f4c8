package peers

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"

	"orderprocessor/bench/systems"
)

// Service is the whole order service that a user would build on a peer in an afternoon:
// orders over HTTP, a durable record of each, a list by status, counts, and a worker
// that gives each order its outcome once. It answers in the API's form.
type Service struct {
	// Name, Version and Store are as those of a Peer.
	Name, Version, Store string
	// Open starts it on a server of its own, with data below dir, and returns when its
	// API is ready. It returns a Skipped when it cannot run here.
	Open func(ctx context.Context, p *systems.Programs, dir string) (*Running, error)
}

// Running is a service that is running.
type Running struct {
	// Addr is where its API serves clients.
	Addr string
	// Parts are its processes: API, worker and store.
	Parts []systems.Part

	dir   string
	env   []string
	store store
}

// store is the server that a service keeps everything in.
type store interface {
	// analyse tells the server about its data, as its own maintenance would by and by.
	analyse(ctx context.Context) error
	close() error
}

// Services lists the services.
func Services() []Service {
	return []Service{asynqService(), riverService("River", "on"), riverService("River, synchronous_commit off", "off"), bullMQService()}
}

// start starts the API and the worker of a service, and waits for the API. If they do
// not start, it closes the service.
func (r *Running) start(ctx context.Context, api, worker []string) (*Running, error) {
	a, err := r.run("API", api)
	if err == nil {
		r.Addr, err = a.AwaitAPI(ctx)
	}
	if err == nil {
		_, err = r.run("worker", worker)
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func (r *Running) run(name string, command []string) (*systems.Process, error) {
	cmd := exec.Command(command[0], command[1:]...) //nolint:gosec,noctx // a program that we built or found, and Close ends it
	cmd.Dir, cmd.Env = r.dir, append(os.Environ(), r.env...)
	p, err := systems.Start(filepath.Join(r.dir, name+".log"), cmd)
	if err == nil {
		r.Parts = append(r.Parts, systems.Part{Name: name, Process: p})
	}
	return p, err
}

// Analyse tells the store about its data, as its own maintenance would within minutes.
func (r *Running) Analyse(ctx context.Context) error { return r.store.analyse(ctx) }

// Close stops everything that Open started and returns when it has ended.
func (r *Running) Close() error {
	for _, part := range slices.Backward(r.Parts[1:]) { // the first is the store
		part.Stop(syscall.SIGKILL)
	}
	return r.store.close()
}
