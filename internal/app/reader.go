package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
)

// reader reads facts from one Redis.
type reader struct {
	rdb       redis.UniversalClient
	ledger    *ledger.Ledger
	inspector *queue.Inspector
	clock     func() time.Time
}

func newReader(rdb redis.UniversalClient, books *ledger.Ledger, clock func() time.Time) *reader {
	return &reader{rdb: rdb, ledger: books, inspector: queue.NewInspector(rdb, len(books.Books())), clock: clock}
}

// read adds one source to the facts. It returns an error if Redis did not answer, or
// refused a question that it should answer.
func (r *reader) read(ctx context.Context, s source, f *facts) error {
	return [...]func(context.Context, *facts) error{
		fromPing: r.readPing, fromPermissions: r.readPermissions, fromSettings: r.readSettings, fromInfo: r.readInfo,
		fromTotals:     func(ctx context.Context, f *facts) (err error) { f.totals, err = r.ledger.Totals(ctx); return err },
		fromKeys:       r.readKeys,
		fromWorkers:    func(ctx context.Context, f *facts) (err error) { f.workers, err = r.inspector.Workers(ctx); return err },
		fromFulfilment: r.readFulfilment, fromHeld: r.readHeld, fromQueues: r.readQueues,
	}[s](ctx, f)
}

// pings is how many round trips are measured.
const pings = 5

// readPing measures the median round trip.
func (r *reader) readPing(ctx context.Context, f *facts) error {
	took := make([]time.Duration, pings)
	for i := range took {
		begun := time.Now()
		if f.pingErr = r.ledger.Ping(ctx); f.pingErr != nil {
			return nil //nolint:nilerr // the checks report it
		}
		took[i] = time.Since(begun)
	}
	slices.Sort(took)
	f.roundTrip = took[pings/2]
	return nil
}

func (r *reader) readPermissions(ctx context.Context, f *facts) error {
	optional := optionalCommands()
	all, err := askRefused(ctx, r.rdb, append(neededCommands(), commandConfig+" x", commandType, commandEncoding+" x"))
	if err != nil && !isReply(err) {
		return fmt.Errorf("ask for permissions: %w", err)
	}
	f.permissionErr = err
	for _, command := range all {
		if slices.Contains(optional, command) {
			f.lacking = append(f.lacking, command)
		} else {
			f.refused = append(f.refused, command)
		}
	}
	return nil
}

// readSettings must follow readPermissions.
func (r *reader) readSettings(ctx context.Context, f *facts) (err error) {
	if err = tryLogin(ctx, r.rdb); err != nil {
		return err
	}
	nodes, err := r.ledger.Settings(ctx)
	if err != nil {
		return err
	}
	f.settings = nodes[0]
	if f.nodes = nil; len(nodes) > 1 {
		for _, s := range nodes {
			f.nodes = append(f.nodes, &facts{addr: s.Node, settings: s, lacking: f.lacking})
		}
	}
	if f.clock, err = r.clockDifference(ctx); err != nil {
		return err
	}
	switch {
	case len(f.refused) > 0:
	case f.permissionErr != nil && !errors.Is(f.permissionErr, redis.Nil):
		f.refusal = f.permissionErr
	default:
		f.refusal = r.ledger.Writable(ctx)
	}
	if f.refusal != nil && !isReply(f.refusal) {
		return f.refusal
	}
	return nil
}

// clockDifference returns how far the clock of Redis is ahead of this machine's, less
// the time that the question itself took.
func (r *reader) clockDifference(ctx context.Context) (time.Duration, error) {
	asked := r.clock()
	theirs, err := r.ledger.Now(ctx)
	answered := r.clock()
	switch {
	case err != nil:
		return 0, err
	case theirs.Before(asked):
		return theirs.Sub(asked), nil
	case theirs.After(answered):
		return theirs.Sub(answered), nil
	default:
		return 0, nil
	}
}

func (r *reader) readInfo(ctx context.Context, f *facts) error {
	nodes, err := ledger.Nodes(ctx, r.rdb)
	if err != nil {
		return err
	}
	if _, f.isCluster = r.rdb.(*redis.ClusterClient); !f.isCluster {
		return readNode(ctx, nodes[0], f)
	}
	all, errs := make([]*facts, len(nodes)), make([]error, len(nodes))
	var asking sync.WaitGroup
	for i, node := range nodes {
		all[i] = &facts{addr: node.Addr, isCluster: true, lacking: f.lacking}
		asking.Go(func() { errs[i] = readNode(ctx, node, all[i]) })
	}
	asking.Wait()
	f.nodes = nil
	for i, node := range all {
		if errs[i] != nil {
			f.silent = append(f.silent, node.addr)
		} else {
			f.nodes = append(f.nodes, node)
		}
	}
	if len(f.nodes) == 0 {
		return errs[0]
	}
	f.memory.Used, f.memory.Limit, err = r.ledger.Memory(ctx)
	f.perNode = map[string]int{}
	for _, b := range r.ledger.Books() {
		if addr, err := b.Node(ctx); err == nil {
			f.perNode[addr]++
		}
	}
	return err
}

// readNode reads what one node says.
func readNode(ctx context.Context, node ledger.Node, f *facts) error {
	f.info = node.InfoMap(ctx)
	if err := f.info.Err(); err != nil {
		return fmt.Errorf("read INFO: %w", err)
	}
	f.memory = memoryOf(f.info)
	f.config = map[string]string{}
	if f.isCluster {
		_, f.state, _ = strings.Cut(node.ClusterInfo(ctx).Val(), "cluster_state:")
		f.state, _, _ = strings.Cut(f.state, "\r\n")
	}
	if f.lacks(commandConfig) {
		return nil
	}
	for _, name := range []string{settingReplicas, settingListpack, settingZiplist, settingCoverage} {
		maps.Copy(f.config, node.ConfigGet(ctx, name).Val()) // nothing where Redis refuses it
	}
	return nil
}

func (r *reader) readKeys(ctx context.Context, f *facts) (err error) {
	if f.lacks(commandType) {
		return nil
	}
	known := wellKnownKeys(len(r.ledger.Books()))
	f.knownKeys = len(known)
	if f.wrongKeys, f.presentKeys, err = r.compareTypes(ctx, known); err != nil {
		return err
	}
	if len(f.wrongKeys) == 0 && !f.lacks(commandEncoding) {
		f.recordID, f.recordForm, err = r.ledger.RecordEncoding(ctx)
	}
	return err
}

// compareTypes compares the types of keys with the wanted ones. A missing key is fine.
func (r *reader) compareTypes(ctx context.Context, wanted map[string]string) (wrong []string, present int, err error) {
	names := slices.Sorted(maps.Keys(wanted))
	pipe := r.rdb.Pipeline()
	types := make([]*redis.StatusCmd, len(names))
	for i, name := range names {
		types[i] = pipe.Type(ctx, name)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, 0, fmt.Errorf("read the types of keys: %w", err)
	}
	for i, name := range names {
		switch kind := types[i].Val(); kind {
		case "none":
		case wanted[name]:
			present++
		default:
			wrong = append(wrong, fmt.Sprintf("%s is a %s and should be a %s", name, kind, wanted[name]))
		}
	}
	return wrong, present, nil
}

func (r *reader) readFulfilment(ctx context.Context, f *facts) error {
	now, err := r.ledger.Now(ctx)
	if err == nil {
		f.shop, err = r.ledger.Fulfilment(ctx, now)
	}
	return err
}

func (r *reader) readHeld(ctx context.Context, f *facts) error {
	tasks, err := queue.NewTasks(r.rdb, len(r.ledger.Books()))
	if err != nil {
		f.tasksErr = err
		return nil //nolint:nilerr // the checks report it
	}
	if f.held, err = tasks.Active(ctx); err != nil {
		return err
	}
	f.now, err = r.ledger.Now(ctx)
	return err
}

// maxCorrupt bounds how many corrupt tasks of a queue are counted.
const maxCorrupt = 100

func (r *reader) readQueues(ctx context.Context, f *facts) (err error) {
	if f.depths, err = r.inspector.Depths(ctx); err != nil {
		return err
	}
	f.corrupt = map[order.Queue]int{}
	for _, q := range order.Queues() {
		corrupt, err := r.inspector.CorruptTasks(ctx, q, maxCorrupt)
		if err != nil {
			return err
		}
		f.corrupt[q] = len(corrupt)
	}
	return nil
}
