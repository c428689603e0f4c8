package ledger

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

// With several books, the first one has the job, and each other one has a part of it: what
// the job has done in that book, which is written together with the change of each order
// there. A part has the fields of a job that scripts/turn.lua reads, and these two.
const (
	partOthersDone     = "others_done"     // how many orders the other books have done
	partOthersFailures = "others_failures" // how many of them have failed again
)

// readParts returns what this book has of the jobs, nothing for those that it does not know.
func (b *Book) readParts(ctx context.Context, ids []string) ([]map[string]string, error) {
	pipe := b.rdb.Pipeline()
	reads := make([]*redis.MapStringStringCmd, len(ids))
	for i, id := range ids {
		reads[i] = pipe.HGetAll(ctx, b.keys.job(id))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, wrap(err, "read %d jobs", len(ids))
	}
	parts := make([]map[string]string, len(ids))
	for i, read := range reads {
		parts[i] = read.Val()
	}
	return parts, nil
}

// addPart adds to a job what another book has of it.
func addPart(j *order.Job, fields map[string]string) {
	j.Done += numberOf(fields[jobDone])
	j.Skipped += numberOf(fields[jobSkipped])
	addOutcomes(j, fields)
	// Every order before the furthest position has had its turn: a job goes through the list
	// of all books.
	if at := readPosition(fields[jobPosition]); !at.IsZero() && j.State != order.JobCounting && (j.Position.IsZero() || at.Compare(j.Position) > 0) {
		j.Position = at
	}
	if at := parseTime(fields[jobUpdated]); at.After(j.UpdatedAt) {
		j.UpdatedAt = at
	}
}

func addOutcomes(j *order.Job, fields map[string]string) {
	for name, value := range fields {
		if outcome, ok := strings.CutPrefix(name, jobOutcome); ok {
			j.Outcomes[order.Status(outcome)] += numberOf(value)
		}
	}
}

func numberOf(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

// otherParts adds up what the books but one have of a job. State, action and bounds are those
// of the job, empty if there is none.
func (l *Ledger) otherParts(ctx context.Context, id string, but *Book) (order.Job, error) {
	sum := order.Job{ID: id, Outcomes: map[order.Status]int64{}}
	if len(l.books) == 1 {
		return sum, nil
	}
	parts, err := each(l.books, func(b *Book) ([]map[string]string, error) { return b.readParts(ctx, []string{id}) })
	if err != nil {
		return sum, err
	}
	sum.Action = order.JobAction(parts[0][0][jobAction])
	sum.State = order.JobState(parts[0][0][jobState])
	sum.CanaryPassed = parts[0][0][jobCanaryPassed] != ""
	sum.Limit = int(numberOf(parts[0][0]["limit"]))
	sum.Canary = int(numberOf(parts[0][0]["canary"]))
	sum.StopAfterFailures = int(numberOf(parts[0][0]["stop_after"]))
	for n, part := range parts {
		if n != but.number {
			addPart(&sum, part[0])
		}
	}
	return sum, nil
}

// withParts adds what the other books have to a job that was read from the first one.
func (l *Ledger) withParts(ctx context.Context, j order.Job) (order.Job, error) {
	if len(l.books) == 1 {
		return j, nil
	}
	parts, err := each(l.books[1:], func(b *Book) ([]map[string]string, error) { return b.readParts(ctx, []string{j.ID}) })
	for _, part := range parts {
		if len(part) > 0 {
			addPart(&j, part[0])
		}
	}
	return j, err
}

// setParts gives the parts of a job its state, or only makes those that are missing. It may
// be repeated.
func (l *Ledger) setParts(ctx context.Context, j order.Job, all bool) error {
	_, err := each(l.books, func(b *Book) (struct{}, error) {
		if b.number == 0 {
			return struct{}{}, nil
		}
		return struct{}{}, b.setPart(ctx, j, all)
	})
	return err
}

// setPart makes the part of a job in this book with the state of the job, or gives the state
// to the part that is there. A job that counts does so before it comes to the part, which may
// then be in its turn.
func (b *Book) setPart(ctx context.Context, j order.Job, evenIfThere bool) error {
	state := j.State
	if state == order.JobCounting {
		state = order.JobRunning
	}
	return wrap(jobPartScript.Run(ctx, b.rdb, []string{b.keys.jobs, b.keys.job(j.ID)}, order.MaxJobs, b.keys.job(""), j.ID,
		string(state), mark(evenIfThere), string(j.Action), j.Limit, j.Canary, j.StopAfterFailures).Err(), "set job %s in book %d", j.ID, b.number)
}

// intervene changes an order. If a job does, the part of the job in the order's book is told
// first what the other books have done: they bound the job together. Two processes that carry
// out one job at once may pass such a bound by an order.
func intervene(
	ctx context.Context, l *Ledger, id string, by order.Intervention,
	do func(*Book, context.Context, string, order.Intervention) (order.Record, error),
) (order.Record, error) {
	b := l.of(id)
	if by.Job == "" || len(l.books) == 1 {
		return do(b, ctx, id, by)
	}
	others, err := l.otherParts(ctx, by.Job, b)
	if err != nil {
		return order.Record{}, err
	}
	if others.State == "" {
		return order.Record{}, fmt.Errorf("job %s is not there: %w", by.Job, order.ErrNotItsTurn)
	}
	if b.number != 0 {
		if err := b.setPart(ctx, others, false); err != nil {
			return order.Record{}, err
		}
	}
	fields := []any{partOthersDone, others.Done, partOthersFailures, others.FailedAgain()}
	if others.CanaryPassed {
		fields = append(fields, jobCanaryPassed, "1")
	}
	if err := b.rdb.HSet(ctx, b.keys.job(by.Job), fields...).Err(); err != nil {
		return order.Record{}, wrap(err, "tell book %d of job %s", b.number, by.Job)
	}
	return do(b, ctx, id, by)
}
