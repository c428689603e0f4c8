package client

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"orderprocessor/internal/order"
)

// NewJob is what a job is to do. Zero numbers are no bounds.
type NewJob struct {
	Action            order.JobAction `json:"action"`
	Filter            map[string]any  `json:"filter"` // as the query of GET /orders has it; metadata is an object
	Reason            string          `json:"reason,omitempty"`
	Limit             int             `json:"limit,omitempty"`
	PerSecond         int             `json:"per_second,omitempty"`
	StopAfterFailures int             `json:"stop_after_failures,omitempty"`
	Canary            int             `json:"canary,omitempty"`
	DryRun            bool            `json:"dry_run,omitempty"`
}

// Job is a job as the API shows it.
type Job struct {
	Raw
	ID        string                 `json:"id"`
	Action    order.JobAction        `json:"action"`
	State     order.JobState         `json:"state"`
	Matched   int64                  `json:"matched"`
	Done      int64                  `json:"done"`
	Skipped   int64                  `json:"skipped"`
	Failed    int64                  `json:"failed"`
	Outcomes  map[order.Status]int64 `json:"outcomes"`
	Filter    json.RawMessage        `json:"filter"`
	Actor     string                 `json:"actor"`
	Reason    string                 `json:"reason"`
	DryRun    bool                   `json:"dry_run"`
	CreatedAt time.Time              `json:"created_at"`
	UpdatedAt time.Time              `json:"updated_at"`
	EndedAt   time.Time              `json:"ended_at"`
	Error     string                 `json:"error"`
}

func (j *Job) recognised() bool { return j.ID != "" && j.State != "" }

// Jobs are the newest jobs, newest first.
type Jobs struct {
	Raw
	Jobs []Job `json:"jobs"`
}

func (j *Jobs) recognised() bool { return j.Jobs != nil }

// createdJob is the id of a new job.
type createdJob struct {
	Raw
	ID string `json:"id"`
}

func (j *createdJob) recognised() bool { return j.ID != "" }

// CreateJob creates a job and returns its id. The key makes it safe to repeat.
func (c *Client) CreateJob(ctx context.Context, j NewJob, key string) (id string, err error) {
	if j.Filter == nil {
		j.Filter = map[string]any{}
	}
	r := post("jobs")
	if r.body, err = json.Marshal(j); err != nil {
		return "", err
	}
	r.idempotencyKey = key
	created, err := decode[createdJob](c.sendRepeatedly(ctx, r))
	return created.ID, err
}

// Job returns a job.
func (c *Client) Job(ctx context.Context, id string) (Job, error) {
	return decode[Job](c.sendRepeatedly(ctx, get("jobs", id)))
}

// Jobs returns the newest jobs, at most limit.
func (c *Client) Jobs(ctx context.Context, limit int) (Jobs, error) {
	r := get("jobs")
	r.query = url.Values{"limit": {strconv.Itoa(limit)}}
	return decode[Jobs](c.sendRepeatedly(ctx, r))
}

// ChangeJob makes a change, pause, resume or stop, and returns the job as it is then.
func (c *Client) ChangeJob(ctx context.Context, id, change string) (Job, error) {
	return decode[Job](c.sendRepeatedly(ctx, post("jobs", id, change)))
}
