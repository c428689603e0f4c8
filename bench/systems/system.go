package systems

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"
)

// maxQueueLength has every order admitted: how many orders wait is the scenario's
// choice.
const maxQueueLength = "10000000"

// Settings say how a system is to run. What they do not name is as users get it.
type Settings struct {
	// Kind is which system.
	Kind Kind
	// Durability is that of Redis; empty means Everysec.
	Durability Durability
	// Redis are further settings of it, in redis.conf form.
	Redis []string
	// FulfilmentURL is the shop's endpoint; empty without one.
	FulfilmentURL string
}

// System is one running system: Redis, an API process and, once it was started, a
// worker process. It is not safe for concurrent use; its Books are.
type System struct {
	// Addr is where the API serves clients.
	Addr string
	// Redis is its Redis.
	Redis *Redis
	// Books reads what became of the orders.
	Books *Books

	env    []string
	worker []string // its command
	api    *process
	works  *process // nil until StartWorker
}

// Open starts Redis and the API, and waits until it is ready.
func (p *Programs) Open(ctx context.Context, s Settings) (*System, error) {
	if s.Durability == "" {
		s.Durability = Everysec
	}
	r, err := OpenRedis(ctx, p.root, p.dir, s.Durability, s.Redis...)
	if err != nil {
		return nil, err
	}
	sys := &System{Redis: r, Books: NewBooks(r.Client())}
	if err := sys.startAPI(ctx, p, s); err != nil {
		sys.Close()
		return nil, err
	}
	return sys, nil
}

func (s *System) startAPI(ctx context.Context, p *Programs, settings Settings) error {
	s.env = []string{
		"REDIS_URL=" + s.Redis.URL(), "ORDERS_HTTP_ADDR=127.0.0.1:0", "ORDERS_ADMIN_ADDR=127.0.0.1:0",
		"ORDERS_LOG_FORMAT=json", "ORDERS_MAX_QUEUE_LENGTH=" + maxQueueLength,
		"ORDERS_FULFILMENT_URL=" + settings.FulfilmentURL,
	}
	if settings.Kind == Plain {
		s.env = append(s.env, "ORDERS_WORKER_PREFETCH=false")
	}
	var api []string
	api, s.worker = p.commands(settings.Kind)
	var err error
	if s.api, err = start(s.logOf("api"), s.env, api[0], api[1:]...); err != nil {
		return err
	}
	return s.api.await(ctx, "the API is ready", func() bool {
		a, err := readAddresses(s.api.log)
		s.Addr = a.HTTP
		return err == nil && get(ctx, "http://"+a.Admin+"/readyz") == http.StatusOK
	})
}

func (s *System) logOf(program string) string { return filepath.Join(s.Redis.dir, program+".log") }

// get returns the status of an answer, 0 without one.
func get(ctx context.Context, url string) int {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp.StatusCode
}

// StartWorker starts the worker process and returns at once: the first orders may
// be settled before AwaitWorker returns.
func (s *System) StartWorker() (err error) {
	s.works, err = start(s.logOf("worker"), s.env, s.worker[0], s.worker[1:]...)
	return err
}

// AwaitWorker waits until the worker's slots are alive.
func (s *System) AwaitWorker(ctx context.Context) error {
	return s.works.await(ctx, "the worker is ready", func() bool {
		workers, err := s.Books.queues.Workers(ctx)
		return err == nil && workers.Slots > 0
	})
}

// Idle says what share of one core the worker and Redis take over the time given.
func (s *System) Idle(ctx context.Context, over time.Duration) (worker, redis float64, err error) {
	measured := []*process{s.works, s.Redis.process}
	before, begun := make([]time.Duration, len(measured)), time.Now()
	for i, p := range measured {
		if before[i], err = p.cpu(); err != nil {
			return 0, 0, err
		}
	}
	select {
	case <-ctx.Done():
		return 0, 0, ctx.Err()
	case <-time.After(over):
	}
	shares := make([]float64, len(measured))
	for i, p := range measured {
		after, err := p.cpu()
		if err != nil {
			return 0, 0, err
		}
		shares[i] = float64(after-before[i]) / float64(time.Since(begun))
	}
	return shares[0], shares[1], nil
}

// CPU is how much time of a processor the worker and Redis have taken so far.
func (s *System) CPU() (time.Duration, error) {
	worker, err := s.works.cpu()
	if err != nil {
		return 0, err
	}
	redis, err := s.Redis.cpu()
	return worker + redis, err
}

// APIMemory is how much memory of the machine the API holds, in bytes.
func (s *System) APIMemory() (int, error) { return s.api.resident() }

// Close ends everything. It may be called twice.
func (s *System) Close() {
	for _, p := range []*process{s.works, s.api} {
		if p != nil {
			p.stop()
		}
	}
	s.Redis.Close()
}

// Pause asks the API to keep workers from a queue.
func (s *System) Pause(ctx context.Context, queue string) error {
	url := "http://" + s.Addr + "/queues/" + queue + "/pause"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, nil)
	if err != nil {
		return fmt.Errorf("pause queue %s: %w", queue, err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("pause queue %s: %w", queue, err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("pause queue %s: answered %s", queue, resp.Status)
	}
	return nil
}
