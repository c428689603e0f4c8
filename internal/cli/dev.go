package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"orderprocessor/internal/app"
	"orderprocessor/internal/app/apiapp"
	"orderprocessor/internal/app/workerapp"
	"orderprocessor/internal/client"
	"orderprocessor/internal/config"
)

const devHelp = `dev runs the API, a worker and, unless REDIS_URL names one, a Redis in this process,
and prints the addresses to open. It runs until it is interrupted.

Redis is the one of REDIS_URL; else a private redis-server or valkey-server from the
PATH, whose data stays in a folder from run to run; else one in memory that keeps nothing
and is only for trying out. Unless ORDERS_ARCHIVE_URL names one, the archive is a file beside the
data of a Redis that dev runs.

The other settings come from the environment as for the service itself, with two
differences: only warnings are logged unless ORDERS_LOG_LEVEL is set, and if a port
that was not asked for is taken, a free one is used.

With --sample it submits so many different orders, waits until all are settled, checks
that each ended as the rules say, shows the statistics and stops. The exit status is 0
if all is as it should be.`

const (
	// defaultData is where a private Redis keeps its data.
	defaultData = "./data/redis"
	// readyTimeout bounds the wait for the programs of dev to be healthy.
	readyTimeout = 30 * time.Second
)

type devCommand struct {
	*World
	sample int
	data   string
	http   string

	apiConfig    config.API
	workerConfig config.Worker
}

func newDev(w *World) *cobra.Command {
	d := &devCommand{World: w}
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run everything in one process and try it out",
		Long:  devHelp,
		Example: `  orderctl dev
  orderctl dev --sample 200
  orderctl dev --http 127.0.0.1:0              # any free ports
  REDIS_URL=redis://127.0.0.1:6379/0 orderctl dev`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("sample") {
				if err := checkRange("sample", d.sample, 1, maxSample); err != nil {
					return err
				}
			}
			return d.run(cmd.Context())
		},
	}
	cmd.Flags().IntVar(&d.sample, "sample", 0, "submit so many orders, check their outcomes, and stop")
	cmd.Flags().StringVar(&d.data, "data", defaultData, "folder of the private Redis's data")
	_ = cmd.MarkFlagDirname("data")
	cmd.Flags().StringVar(&d.http, "http", "", "address of the API (default ORDERS_HTTP_ADDR, or 127.0.0.1:8080)")
	return cmd
}

// run starts Redis, then the programs, and stops them in the opposite order.
func (d *devCommand) run(ctx context.Context) (err error) {
	if err := d.configure(); err != nil {
		return err
	}
	log := d.NewLog(d.apiConfig.Common) // before anything talks to Redis, as go-redis logs through it
	defer app.FlushLog(log)
	redis, err := d.openRedis(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, redis.stop()) }()
	d.apiConfig.Redis, d.workerConfig.Redis = redis.config, redis.config
	if d.env("ORDERS_ARCHIVE_URL") == "" {
		d.apiConfig.Archive, d.workerConfig.Archive = redis.archive(), redis.archive()
	}
	d.choosePorts()
	opts := app.Options{Log: log, TrustRedis: redis.inMemory}
	api, err := apiapp.New(d.apiConfig, opts)
	if err != nil {
		return fmt.Errorf("start the API: %w", err)
	}
	worker, err := workerapp.New(d.workerConfig, opts)
	if err != nil {
		return fmt.Errorf("start the worker: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	running, ctx := errgroup.WithContext(ctx)
	running.Go(func() error { return api.Run(ctx) })
	running.Go(func() error { return worker.Run(ctx) })
	running.Go(func() error { return redis.watch(ctx) })
	running.Go(func() error {
		defer stop()
		return d.attend(ctx, redis, api, worker)
	})
	return running.Wait()
}

// configure reads the environment as the programs do.
func (d *devCommand) configure() (err error) {
	environ := d.Environ
	if d.http != "" {
		environ = append(environ[:len(environ):len(environ)], "ORDERS_HTTP_ADDR="+d.http)
	}
	d.apiConfig, d.workerConfig, err = config.LoadAll(environ)
	if err != nil {
		return err
	}
	for _, c := range []*config.Common{&d.apiConfig.Common, &d.workerConfig.Common} {
		if d.env("ORDERS_LOG_LEVEL") == "" {
			c.LogLevel = slog.LevelWarn
		}
		if c.LogFormat == "" {
			c.LogFormat = config.LogText
		}
	}
	return nil
}

// choosePorts replaces each port that is taken and that was not asked for. If the API
// may have any port, so may the others.
func (d *devCommand) choosePorts() {
	a := &d.apiConfig
	anyPort := strings.HasSuffix(a.HTTPAddr, ":0")
	if d.http == "" && d.env("ORDERS_HTTP_ADDR") == "" {
		d.choosePort("the API", &a.HTTPAddr, false)
	}
	if d.env("ORDERS_ADMIN_ADDR") == "" {
		d.choosePort("the API's admin address", &a.AdminAddr, anyPort)
	}
	d.choosePort("the worker's admin address", &d.workerConfig.AdminAddr, anyPort)
}

func (d *devCommand) choosePort(what string, addr *string, anyPort bool) {
	host, _, err := net.SplitHostPort(*addr)
	if err != nil {
		return
	}
	if !anyPort {
		if l, err := net.Listen("tcp", *addr); err == nil {
			_ = l.Close()
			return
		}
		d.printf("%s is taken, so %s is at a free port instead.\n", *addr, what)
	}
	*addr = net.JoinHostPort(host, "0")
}

// attend waits for the programs to be healthy, and then for the end of the sample or
// of ctx.
func (d *devCommand) attend(ctx context.Context, redis *devRedis, api *apiapp.API, worker *workerapp.Worker) error {
	base := "http://" + reachable(api.Addr())
	c, err := target{address: base, key: d.env(keyVariable)}.open(0)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := awaitHealthy(ctx, c); err != nil {
		if d.sample == 0 && errors.Is(err, client.ErrInterrupted) {
			return nil
		}
		return err
	}
	d.welcome(redis, base, reachable(api.AdminAddr()), reachable(worker.AdminAddr()))
	if d.sample > 0 {
		return d.runSample(ctx, c)
	}
	d.printf("\nPress Ctrl-C to stop.\n")
	<-ctx.Done()
	d.printf("\nStopping: running attempts are finished first.\n")
	return nil
}

// awaitHealthy returns when the API accepts orders and the worker works them.
func awaitHealthy(ctx context.Context, c *client.Client) error {
	deadline, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	var last error
	for {
		err := c.Health(deadline)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return client.ErrInterrupted
		case deadline.Err() != nil:
			return fmt.Errorf("not healthy after %v: %w", readyTimeout, last)
		}
		last = err
		_ = client.Wait(deadline, pollInterval)
	}
}

// reachable is the address to open for one that is listened on.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}

const inMemoryWarning = `
 ************************************************************************
 *  NOTHING IS KEPT: there is no redis-server or valkey-server on the   *
 *  PATH and no REDIS_URL, so this uses a Redis in memory. All orders   *
 *  are lost when it stops. It is for trying out only, never for        *
 *  production.                                                         *
 ************************************************************************
`

// welcome prints all addresses, and how to begin.
func (d *devCommand) welcome(redis *devRedis, base, apiAdmin, workerAdmin string) {
	if redis.inMemory {
		d.printf("%s", inMemoryWarning)
	}
	d.printf("\nThe order service is running.\n\n")
	t := newTable(d.Stdout)
	t.row("  API", base)
	t.row("  health", base+"/health")
	t.row("  statistics", base+"/stats")
	t.row("  monitoring", base+"/monitoring")
	t.row("  API admin", "http://"+apiAdmin+"/readyz")
	t.row("  worker admin", "http://"+workerAdmin+"/readyz")
	t.row("  orders kept", redis.kept)
	t.flush()
	if d.sample > 0 {
		return
	}
	d.printf("\nSubmit an order:\n\n  curl -i %s/orders -H 'Content-Type: application/json' \\\n    -d '%s'\n", base,
		`{"amount": 129.90, "items": ["lamp", "desk"], "customer": "Ada Lovelace", "address": "12 High Street, London"}`)
	if base != client.DefaultAddress {
		d.printf("\nFor the other commands: export %s=%s\n", apiVariable, base)
	}
}
