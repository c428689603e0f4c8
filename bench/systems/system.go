package systems

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
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
	// Nodes is of how many masters Redis consists; 0 means one that is no Redis Cluster.
	Nodes int
	// Books is over how many books the orders are spread; 0 means one.
	Books int
	// Slots is how many orders the worker works at once; 0 means its default.
	Slots int
	// Redis are further settings of it, in redis.conf form.
	Redis []string
	// FulfilmentURL is the shop's endpoint; empty without one.
	FulfilmentURL string
	// Archive returns the address of an archive in a folder that lasts as long as the
	// system; nil for none.
	Archive func(dir string) string
}

// System is one running system: Redis, an API process and, once it was started, a
// worker process. It is not safe for concurrent use; its Books are.
type System struct {
	// Addr is where the API serves clients.
	Addr string
	// Redis is its Redis, the first node of a Redis Cluster.
	Redis *Redis
	// Nodes are all nodes of its Redis.
	Nodes []*Redis
	// Books reads what became of the orders.
	Books *Books

	url     string // of Redis
	cluster *Cluster
	env     []string
	worker  []string // its command
	api     *Process
	works   *Process // nil until StartWorker
}

// Open starts Redis and the API, and waits until it is ready.
func (p *Programs) Open(ctx context.Context, s Settings) (*System, error) {
	if s.Durability == "" {
		s.Durability = Everysec
	}
	sys := &System{}
	if err := sys.startRedis(ctx, p, s); err != nil {
		sys.Close()
		return nil, err
	}
	if err := sys.startAPI(ctx, p, s); err != nil {
		sys.Close()
		return nil, err
	}
	return sys, nil
}

func (s *System) startRedis(ctx context.Context, p *Programs, settings Settings) (err error) {
	if settings.Nodes == 0 {
		s.Redis, err = OpenRedis(ctx, p.root, p.dir, settings.Durability, settings.Redis...)
		if err != nil {
			return err
		}
		s.Nodes = []*Redis{s.Redis}
		s.url, s.Books = "redis://"+s.Redis.Addr()+"/0", NewBooks(s.Redis.Client(), settings.Books)
		return nil
	}
	if s.cluster, err = OpenCluster(ctx, p.root, p.dir, settings.Durability, settings.Nodes, settings.Redis...); err != nil {
		return err
	}
	s.Redis, s.Nodes = s.cluster.Nodes[0], s.cluster.Nodes
	s.url, s.Books = s.cluster.URL(), NewBooks(s.cluster.Client(), settings.Books)
	return nil
}

func (s *System) startAPI(ctx context.Context, p *Programs, settings Settings) error {
	s.env = []string{
		"REDIS_URL=" + s.url, "ORDERS_HTTP_ADDR=127.0.0.1:0", "ORDERS_ADMIN_ADDR=127.0.0.1:0",
		"ORDERS_LOG_FORMAT=json", "ORDERS_MAX_QUEUE_LENGTH=" + maxQueueLength,
		"ORDERS_FULFILMENT_URL=" + settings.FulfilmentURL,
	}
	if settings.Books > 0 {
		s.env = append(s.env, "ORDERS_BOOKS="+strconv.Itoa(settings.Books))
	}
	if settings.Slots > 0 {
		s.env = append(s.env, "ORDERS_WORKER_CONCURRENCY="+strconv.Itoa(settings.Slots))
	}
	if settings.Archive != nil {
		s.env = append(s.env, "ORDERS_ARCHIVE_URL="+settings.Archive(s.Redis.dir))
	}
	if settings.Kind == Plain {
		s.env = append(s.env, "ORDERS_WORKER_PREFETCH=false")
	}
	var api []string
	api, s.worker = p.commands(settings.Kind)
	var err error
	if s.api, err = s.start("api", api); err != nil {
		return err
	}
	s.Addr, err = s.api.AwaitAPI(ctx)
	return err
}

func (s *System) start(name string, command []string) (*Process, error) {
	cmd := exec.Command(command[0], command[1:]...) //nolint:gosec,noctx // a program that we built, and Close ends it
	cmd.Env = append(os.Environ(), s.env...)
	return Start(filepath.Join(s.Redis.dir, name+".log"), cmd)
}

// StartWorker starts the worker process and returns at once: the first orders may
// be settled before AwaitWorker returns.
func (s *System) StartWorker() (err error) {
	s.works, err = s.start("worker", s.worker)
	return err
}

// AwaitWorker waits until the worker's slots are registered.
func (s *System) AwaitWorker(ctx context.Context) error {
	return s.works.Await(ctx, "the worker is ready", func() bool {
		workers, err := s.Books.queues.Workers(ctx)
		return err == nil && workers.Slots > 0
	})
}

// CPU returns how much processor time the worker and Redis have used so far.
func (s *System) CPU() (worker, redis time.Duration, err error) {
	if worker, err = s.works.CPU(); err != nil {
		return 0, 0, err
	}
	for _, node := range s.Nodes {
		used, err := node.CPU()
		if err != nil {
			return 0, 0, err
		}
		redis += used
	}
	return worker, redis, nil
}

// APICPU returns how much processor time the API has used so far.
func (s *System) APICPU() (time.Duration, error) { return s.api.CPU() }

// Parts are the processes of a system that has a worker and one Redis.
func (s *System) Parts() []Part {
	return []Part{{"API", s.api}, {"worker", s.works}, {"Redis", s.Redis.Process}}
}

// AllCPU returns how much processor time the API, the worker and Redis have used so far.
func (s *System) AllCPU() (time.Duration, error) {
	worker, redis, err := s.CPU()
	if err != nil {
		return 0, err
	}
	api, err := s.APICPU()
	return api + worker + redis, err
}

// Kept returns how many orders each node of a Redis Cluster has.
func (s *System) Kept(ctx context.Context) ([]int64, error) {
	books, err := s.Books.Kept(ctx)
	if err != nil {
		return nil, err
	}
	kept := make([]int64, len(s.Nodes))
	for book, orders := range books {
		n, err := s.cluster.NodeOf(ctx, fmt.Sprintf("{b%d}", book))
		if err != nil {
			return nil, err
		}
		kept[n] += orders
	}
	return kept, nil
}

// APIMemory returns how much memory of the machine the API uses, in bytes.
func (s *System) APIMemory() (int, error) {
	stat, err := s.api.stat()
	return stat.ResidentMemory(), err
}

// Close ends everything. It may be called twice.
func (s *System) Close() {
	for _, p := range []*Process{s.works, s.api} {
		if p != nil {
			p.Stop(syscall.SIGKILL)
		}
	}
	if s.cluster != nil {
		s.cluster.Close()
	} else if s.Redis != nil {
		s.Redis.Close()
	}
}
