package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"orderprocessor/internal/app"
	"orderprocessor/internal/config"
)

const devHelp = `dev runs the API, a worker and, unless REDIS_URL names one, a Redis in this
process, and tells the addresses to open. It runs until it is interrupted.

Redis is what REDIS_URL names; else a private redis-server from the PATH, whose
data stays in a folder from run to run; else a stand-in in memory that keeps
nothing and is for trying out only.

The other settings come from the environment as for the service itself, with
two differences: only warnings are logged unless ORDERS_LOG_LEVEL is set, and
an address that nobody asked for makes way for a free one when it is taken.

With --sample it submits so many different orders, waits until all are settled,
checks that each ended as the rules say, shows the statistics and stops. The
exit status is 0 if all is as it should be.`

// defaultData is where a private Redis keeps its data.
const defaultData = "./data/redis"

type dev struct {
	*World
	sample int
	data   string
	http   string

	apiConfig    config.API
	workerConfig config.Worker
}

func newDev(w *World) *cobra.Command {
	d := &dev{World: w}
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
			if n := d.sample; cmd.Flags().Changed("sample") && (n < 1 || n > maxSample) {
				return usagef("--sample must be 1 to %d", maxSample)
			}
			return d.run(cmd.Context())
		},
	}
	cmd.Flags().IntVar(&d.sample, "sample", 0, "submit so many orders, check what becomes of them, and stop")
	cmd.Flags().StringVar(&d.data, "data", defaultData, "folder of the private Redis's data")
	_ = cmd.MarkFlagDirname("data")
	cmd.Flags().StringVar(&d.http, "http", "", "address of the API (default ORDERS_HTTP_ADDR, or 127.0.0.1:8080)")
	return cmd
}

// run starts Redis, then the programs, and stops them in the opposite order.
func (d *dev) run(ctx context.Context) (err error) {
	if err := d.configure(); err != nil {
		return err
	}
	log := d.newLog() // before anything talks to Redis, as go-redis logs through it
	s, err := d.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	d.apiConfig.Redis, d.workerConfig.Redis = s.redis, s.redis
	d.makeWay()
	p, err := d.build(s, log)
	if err != nil {
		return err
	}
	return d.runAll(ctx, s, p)
}

// configure reads the environment as the programs do.
func (d *dev) configure() (err error) {
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

// programs is what dev runs beside Redis.
type programs struct {
	api    *app.API
	worker *app.Worker
}

func (d *dev) build(s *store, log *slog.Logger) (p programs, err error) {
	opts := app.Options{Log: log, TrustRedis: s.standIn}
	if p.api, err = app.NewAPI(d.apiConfig, opts); err != nil {
		return p, fmt.Errorf("start the API: %w", err)
	}
	if p.worker, err = app.NewWorker(d.workerConfig, opts); err != nil {
		return p, fmt.Errorf("start the worker: %w", err)
	}
	return p, nil
}

func (d *dev) newLog() *slog.Logger {
	if d.NewLog != nil {
		return d.NewLog(d.apiConfig.Common)
	}
	return slog.New(slog.NewTextHandler(d.Stderr, &slog.HandlerOptions{Level: d.apiConfig.LogLevel}))
}

// runAll returns when ctx has ended, the sample is through, or a part has
// failed, and everything has stopped.
func (d *dev) runAll(ctx context.Context, s *store, p programs) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	running, ctx := errgroup.WithContext(ctx)
	running.Go(func() error { return p.api.Run(ctx) })
	running.Go(func() error { return p.worker.Run(ctx) })
	running.Go(func() error { return s.watch(ctx) })
	running.Go(func() error {
		defer stop()
		return d.attend(ctx, s, p)
	})
	return running.Wait()
}

// attend is what the person at the terminal sees.
func (d *dev) attend(ctx context.Context, s *store, p programs) error {
	base := "http://" + reachable(p.api.Addr())
	client, err := target{address: base, key: d.env(keyVariable)}.open(2 * sampleConcurrency)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := awaitHealthy(ctx, client); err != nil {
		return d.unlessTold(err)
	}
	d.welcome(s, p, base)
	if d.sample > 0 {
		return d.runSample(ctx, client)
	}
	d.printf("\nPress Ctrl-C to stop.\n")
	<-ctx.Done()
	d.printf("\nStopping: what has begun is finished first.\n")
	return nil
}

// unlessTold makes it no failure to be interrupted while starting.
func (d *dev) unlessTold(err error) error {
	if d.sample == 0 && errors.Is(err, errInterrupted) {
		return nil
	}
	return err
}

// awaitHealthy returns when the API takes orders and the worker works them.
func awaitHealthy(ctx context.Context, c *Client) error {
	deadline, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	var last error
	for {
		err := c.Health(deadline)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return errInterrupted
		case deadline.Err() != nil:
			return fmt.Errorf("not healthy after %v: %w", readyTimeout, last)
		}
		last = err
		_ = wait(deadline, watchInterval)
	}
}
