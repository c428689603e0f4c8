package groupcommit_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"orderprocessor/internal/groupcommit"
)

// TestMain holds that no committer leaves a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// timeout is the Timeout of the committers; inside of a bubble it takes no time.
const timeout = time.Minute

// journeys is a commit function that notes its groups, and whose groups wait until
// the test lets one go. It answers each request with its tenfold.
type journeys struct {
	groups  [][]int
	ctx     context.Context // of the group under way
	release chan struct{}
	err     error // if set, what each group is answered
}

func newJourneys() *journeys { return &journeys{release: make(chan struct{})} }

func (j *journeys) commit(ctx context.Context, group []int) ([]int, error) {
	j.groups = append(j.groups, slices.Clone(group))
	j.ctx = ctx
	<-j.release
	answers := make([]int, len(group))
	for i, r := range group {
		answers[i] = 10 * r
	}
	return answers, j.err
}

// letGo lets all groups go that are under way, and those after them.
func (j *journeys) letGo() {
	close(j.release)
	synctest.Wait()
}

// said is what a caller was told.
type said struct {
	answer int
	err    error
}

// crowd is callers of one committer, in the order in which they came.
type crowd struct {
	*groupcommit.Committer[int, int]
	told map[int]said
	mu   sync.Mutex
}

func newCrowd(cfg groupcommit.Config, commit groupcommit.Commit[int, int]) *crowd {
	cfg.Timeout = timeout
	return &crowd{Committer: groupcommit.New(cfg, commit), told: map[int]said{}}
}

// come has callers come one after the other, and waits until each of them waits.
func (c *crowd) come(ctx context.Context, requests ...int) {
	for _, r := range requests {
		go func() {
			answer, err := c.Do(ctx, r)
			c.mu.Lock()
			defer c.mu.Unlock()
			c.told[r] = said{answer, err}
		}()
		synctest.Wait()
	}
}

func wide() groupcommit.Config { return groupcommit.Config{MaxGroup: 100, MaxWaiting: 100} }

// TestAlone holds that a caller who comes alone goes at once and alone.
func TestAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJourneys()
		close(j.release)
		c := newCrowd(wide(), j.commit)
		begun := time.Now()
		for r := range 3 {
			if answer, err := c.Do(t.Context(), r); answer != 10*r || err != nil {
				t.Errorf("request %d was answered %d, %v", r, answer, err)
			}
		}
		if waited := time.Since(begun); waited != 0 {
			t.Errorf("callers waited for %v", waited)
		}
		if diff := cmp.Diff([][]int{{0}, {1}, {2}}, j.groups); diff != "" {
			t.Errorf("groups (-want +got):\n%s", diff)
		}
	})
}

// TestGroups holds who travels with whom, and that each gets the answer to its own
// request.
func TestGroups(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name     string
		maxGroup int
		callers  []int
		want     [][]int
	}{
		{"those who come meanwhile share the next", 100, []int{1, 5, 3, 4}, [][]int{{1}, {5, 3, 4}}},
		{"as many as fit", 3, []int{1, 2, 3, 4}, [][]int{{1}, {2, 3, 4}}},
		{"one more than fit", 3, []int{1, 2, 3, 4, 5}, [][]int{{1}, {2, 3, 4}, {5}}},
		{"one by one", 1, []int{1, 2, 3}, [][]int{{1}, {2}, {3}}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				j := newJourneys()
				c := newCrowd(groupcommit.Config{MaxGroup: row.maxGroup, MaxWaiting: 100}, j.commit)
				c.come(t.Context(), row.callers...)
				j.letGo()
				if diff := cmp.Diff(row.want, j.groups); diff != "" {
					t.Errorf("groups (-want +got):\n%s", diff)
				}
				for _, r := range row.callers {
					if got := c.told[r]; got != (said{10 * r, nil}) {
						t.Errorf("request %d was answered %+v", r, got)
					}
				}
			})
		})
	}
}

// TestFull holds that one caller too many is refused at once, while the others stay,
// and that there is room again when a group has left.
func TestFull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJourneys()
		c := newCrowd(groupcommit.Config{MaxGroup: 100, MaxWaiting: 2}, j.commit)
		c.come(t.Context(), 1, 2, 3) // the first is under way
		if answer, err := c.Do(t.Context(), 4); !errors.Is(err, groupcommit.ErrFull) || answer != 0 {
			t.Errorf("one too many was answered %d, %v", answer, err)
		}
		j.release <- struct{}{}
		synctest.Wait()
		c.come(t.Context(), 5, 6)
		j.letGo()
		if diff := cmp.Diff([][]int{{1}, {2, 3}, {5, 6}}, j.groups); diff != "" {
			t.Errorf("groups (-want +got):\n%s", diff)
		}
		for _, r := range []int{1, 2, 3, 5, 6} {
			if got := c.told[r]; got != (said{10 * r, nil}) {
				t.Errorf("request %d was answered %+v", r, got)
			}
		}
	})
}

// TestGiveUpWhileWaiting holds that a caller whose time is over is told at once, that
// its request is not done, and that it takes no place in a group.
func TestGiveUpWhileWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJourneys()
		c := newCrowd(groupcommit.Config{MaxGroup: 2, MaxWaiting: 100}, j.commit)
		hurried, giveUp := context.WithCancel(t.Context())
		c.come(t.Context(), 1)
		c.come(hurried, 2)
		c.come(t.Context(), 3)
		c.come(hurried, 4)
		c.come(t.Context(), 5)
		giveUp()
		synctest.Wait()
		for _, r := range []int{2, 4} {
			if got := c.told[r]; !errors.Is(got.err, context.Canceled) || got.answer != 0 {
				t.Errorf("request %d was answered %+v while the first group was under way", r, got)
			}
		}
		j.letGo()
		if diff := cmp.Diff([][]int{{1}, {3, 5}}, j.groups); diff != "" {
			t.Errorf("groups (-want +got):\n%s", diff)
		}
	})
}

// TestAllGiveUp holds that a committer whose waiting callers have all given up rests,
// and serves the next one.
func TestAllGiveUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJourneys()
		c := newCrowd(wide(), j.commit)
		hurried, giveUp := context.WithCancel(t.Context())
		c.come(t.Context(), 1)
		c.come(hurried, 2, 3)
		giveUp()
		j.letGo()
		c.come(t.Context(), 4)
		if diff := cmp.Diff([][]int{{1}, {4}}, j.groups); diff != "" {
			t.Errorf("groups (-want +got):\n%s", diff)
		}
		if got := c.told[4]; got != (said{40, nil}) {
			t.Errorf("the last was answered %+v", got)
		}
	})
}

// TestGiveUpOnTheWay holds that a caller whose time is over while its group is under
// way is told at once, and that the group goes on for the others.
func TestGiveUpOnTheWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJourneys()
		c := newCrowd(wide(), j.commit)
		hurried, giveUp := context.WithCancel(t.Context())
		c.come(t.Context(), 1)
		c.come(hurried, 2)
		c.come(t.Context(), 3)
		j.release <- struct{}{}
		synctest.Wait() // the second group is under way
		giveUp()
		synctest.Wait()
		if got := c.told[2]; !errors.Is(got.err, context.Canceled) || got.answer != 0 {
			t.Errorf("who gave up was answered %+v", got)
		}
		if j.ctx.Err() != nil {
			t.Errorf("the group was ended: %v", j.ctx.Err())
		}
		j.letGo()
		if got := c.told[3]; got != (said{30, nil}) {
			t.Errorf("who was beside it was answered %+v", got)
		}
		if diff := cmp.Diff([][]int{{1}, {2, 3}}, j.groups); diff != "" {
			t.Errorf("groups (-want +got):\n%s", diff)
		}
	})
}

// TestFailure holds that what goes wrong with a group is told to all of it, with no
// answer, and to nobody else.
func TestFailure(t *testing.T) {
	t.Parallel()
	lost := errors.New("the connection is lost")
	rows := []struct {
		name   string
		answer func(group []int) ([]int, error)
		want   error // nil for any
	}{
		{"an error", func(group []int) ([]int, error) { return group, lost }, lost},
		{"an error without answers", func([]int) ([]int, error) { return nil, lost }, lost},
		{"an answer too few", func(group []int) ([]int, error) { return group[1:], nil }, nil},
		{"an answer too many", func(group []int) ([]int, error) { return append(group, 0), nil }, nil},
		{"no answers", func([]int) ([]int, error) { return nil, nil }, nil},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				c := newCrowd(wide(), func(_ context.Context, group []int) ([]int, error) {
					if len(group) == 3 {
						return row.answer(slices.Clone(group))
					}
					<-release
					return group, nil
				})
				c.come(t.Context(), 1, 2, 3, 4)
				close(release)
				synctest.Wait()
				for _, r := range []int{2, 3, 4} {
					got := c.told[r]
					if got.err == nil || row.want != nil && !errors.Is(got.err, row.want) || got.answer != 0 {
						t.Errorf("request %d of the failed group was answered %+v", r, got)
					}
				}
				c.come(t.Context(), 5)
				for _, r := range []int{1, 5} {
					if got := c.told[r]; got != (said{r, nil}) {
						t.Errorf("request %d of another group was answered %+v", r, got)
					}
				}
			})
		})
	}
}

// TestTimeout holds that a group has no longer than its time, however long its
// callers would wait, and that the next group has as long again.
func TestTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(wide(), func(ctx context.Context, _ []int) ([]int, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		begun := time.Now()
		c.come(t.Context(), 1, 2)
		if _, err := c.Do(t.Context(), 3); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the last was answered %v", err)
		}
		if took := time.Since(begun); took != 2*timeout {
			t.Errorf("two groups took %v, want %v", took, 2*timeout)
		}
		synctest.Wait()
		for _, r := range []int{1, 2} {
			if got := c.told[r]; !errors.Is(got.err, context.DeadlineExceeded) {
				t.Errorf("request %d was answered %+v", r, got)
			}
		}
	})
}

// TestCrowd has a thousand callers come at once: each request is done once and has
// its own answer, and no two groups are under way at a time.
func TestCrowd(t *testing.T) {
	t.Parallel()
	const callers, maxGroup = 1000, 64
	var underWay, groups atomic.Int32
	done := make([]atomic.Int32, callers)
	c := groupcommit.New(
		groupcommit.Config{MaxGroup: maxGroup, MaxWaiting: callers, Timeout: timeout},
		func(_ context.Context, group []int) ([]int, error) {
			if underWay.Add(1) > 1 || len(group) == 0 || len(group) > maxGroup {
				t.Errorf("a group of %d beside another", len(group))
			}
			defer underWay.Add(-1)
			groups.Add(1)
			for _, r := range group {
				done[r].Add(1)
			}
			return slices.Clone(group), nil
		})
	var all sync.WaitGroup
	for r := range callers {
		all.Go(func() {
			if answer, err := c.Do(t.Context(), r); answer != r || err != nil {
				t.Errorf("request %d was answered %d, %v", r, answer, err)
			}
		})
	}
	all.Wait()
	for r := range done {
		if n := done[r].Load(); n != 1 {
			t.Errorf("request %d was done %d times", r, n)
		}
	}
	t.Logf("%d callers travelled in %d groups", callers, groups.Load())
}
