package api

import (
	"context"
	"errors"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/intake"
	"orderprocessor/internal/order"
)

// Jobs keeps jobs, which the workers carry out; see the methods of ledger.Ledger.
type Jobs interface {
	CreateJob(ctx context.Context, j order.Job, requestID string) (stored order.Job, isNew bool, err error)
	Job(ctx context.Context, id string) (order.Job, error)
	Jobs(ctx context.Context, limit int) ([]order.Job, error)
	ChangeJob(ctx context.Context, id string, to order.JobState, by order.Intervention) (order.Job, error)
}

// jobView is the JSON of a job.
type jobView struct {
	ID                string                 `json:"id"`
	Action            order.JobAction        `json:"action"`
	Filter            jobFilterView          `json:"filter"`
	State             order.JobState         `json:"state"`
	Matched           int64                  `json:"matched"`
	Done              int64                  `json:"done"`
	Skipped           int64                  `json:"skipped"`
	Failed            int64                  `json:"failed"`
	Outcomes          map[order.Status]int64 `json:"outcomes"`
	Actor             string                 `json:"actor"`
	Reason            string                 `json:"reason,omitempty"`
	Limit             int                    `json:"limit,omitempty"`
	PerSecond         int                    `json:"per_second,omitempty"`
	StopAfterFailures int                    `json:"stop_after_failures,omitempty"`
	Canary            int                    `json:"canary,omitempty"`
	DryRun            bool                   `json:"dry_run,omitempty"`
	CreatedAt         order.Timestamp        `json:"created_at"`
	UpdatedAt         order.Timestamp        `json:"updated_at"`
	EndedAt           order.Timestamp        `json:"ended_at,omitzero"`
	Error             string                 `json:"error,omitempty"`
}

func viewJob(j order.Job) jobView {
	if j.Action == order.JobErase {
		j.Filter.Customer = "" // what is asked for is to forget the name
	}
	return jobView{
		ID: j.ID, Action: j.Action, Filter: viewJobFilter(j.Filter), State: j.State,
		Matched: j.Matched, Done: j.Done, Skipped: j.Skipped, Failed: j.Failed, Outcomes: j.Outcomes,
		Actor: j.Actor, Reason: j.Reason, Limit: j.Limit, PerSecond: j.PerSecond,
		StopAfterFailures: j.StopAfterFailures, Canary: j.Canary, DryRun: j.DryRun,
		CreatedAt: order.Timestamp{Time: j.CreatedAt}, UpdatedAt: order.Timestamp{Time: j.UpdatedAt},
		EndedAt: order.Timestamp{Time: j.EndedAt}, Error: j.Error,
	}
}

// createJob answers POST /jobs.
func (s *Server) createJob(c *fiber.Ctx) error {
	key, err := idempotencyKey(c)
	if err != nil {
		return err
	}
	j, err := s.decodeJob(bodyOf(c))
	if err != nil {
		return err
	}
	return s.startJob(c, j, key)
}

// startJob records a job and answers its id. A request with the same key meets the same
// job.
func (s *Server) startJob(c *fiber.Ctx, j order.Job, key string) error {
	var err error
	if j.ID, err = jobID(callerOf(c), key); err != nil {
		return err
	}
	by := interventionOf(c)
	j.Actor = by.Actor
	_, isNew, err := s.Jobs.CreateJob(c.UserContext(), j, by.RequestID)
	if errors.Is(err, order.ErrConflict) {
		return jobKeyReusedError{err}
	}
	if err != nil {
		return err
	}
	if !isNew {
		c.Set(headerReplayed, "true")
	}
	c.Location("/jobs/" + j.ID)
	return c.Status(fiber.StatusAccepted).JSON(fiber.Map{"id": j.ID})
}

// jobKeyReusedError is an idempotency key that belongs to another job.
type jobKeyReusedError struct{ error }

// jobID returns the id of the job that belongs to a key, or a new one without a key.
func jobID(caller, key string) (string, error) {
	if key == "" {
		return intake.NewID()
	}
	return intake.KeyedID(caller, "job\x00"+key), nil
}

// listJobs answers GET /jobs.
func (s *Server) listJobs(c *fiber.Ctx) error {
	q := queryOf(c, "limit")
	limit := q.limit(order.MaxJobs, defaultJobs)
	if err := q.err(); err != nil {
		return err
	}
	jobs, err := s.Jobs.Jobs(c.UserContext(), limit)
	if err != nil {
		return err
	}
	v := struct {
		Jobs []jobView `json:"jobs"`
	}{make([]jobView, len(jobs))}
	for i, j := range jobs {
		v.Jobs[i] = viewJob(j)
	}
	return c.JSON(v)
}

// getJob answers GET /jobs/{id}.
func (s *Server) getJob(c *fiber.Ctx) error {
	j, err := s.Jobs.Job(c.UserContext(), pathJob(c))
	if err != nil {
		return err
	}
	return c.JSON(viewJob(j))
}

// changeJob returns a handler that pauses, resumes or stops a job.
func (s *Server) changeJob(to order.JobState) fiber.Handler {
	return func(c *fiber.Ctx) error {
		j, err := s.Jobs.ChangeJob(c.UserContext(), pathJob(c), to, interventionOf(c))
		if errors.Is(err, order.ErrJobEnded) {
			return jobEndedError{j.State}
		}
		if err != nil {
			return err
		}
		return c.Status(fiber.StatusAccepted).JSON(viewJob(j))
	}
}

// jobEndedError is a job that cannot be changed any more.
type jobEndedError struct{ state order.JobState }

// Error implements error.
func (e jobEndedError) Error() string { return "the job is " + string(e.state) }

// pathJob returns the id in the path. One that cannot be is found nowhere.
func pathJob(c *fiber.Ctx) string {
	id, _ := pathValue(c, "id")
	if !order.ValidID(id) {
		return ""
	}
	return id
}
