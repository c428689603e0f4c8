package api

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"orderprocessor/internal/order"
)

// decodeJob reads what POST /jobs asks for.
func (s *Server) decodeJob(body []byte) (order.Job, error) {
	members, err := decodeObject(body)
	if err != nil {
		return order.Job{}, err
	}
	var d decoder
	j := order.Job{Action: d.jobAction(members), Filter: s.jobFilter(&d, members)}
	j.Reason = d.line(members, "reason", order.MaxJobReasonChars)
	if j.Action == order.JobReject && j.Reason == "" {
		d.add("reason", order.CodeRequired, "is required to reject orders")
	}
	j.Limit = d.bounded(members, "limit", order.MaxJobOrders)
	j.PerSecond = d.bounded(members, "per_second", order.MaxJobRate)
	j.StopAfterFailures = d.bounded(members, "stop_after_failures", order.MaxJobOrders)
	j.Canary = d.bounded(members, "canary", order.MaxJobOrders)
	j.DryRun = d.boolean(members, "dry_run")
	d.unknown(members, "a job")
	if of := j.Action.Statuses(); of != nil && j.Filter.Status != "" && !slices.Contains(of, j.Filter.Status) {
		d.add("filter.status", order.CodeInvalid, "must be a status in which an order can be changed so: %s", listed(of))
	}
	return j, d.err()
}

// listed lists statuses for a sentence.
func listed(all []order.Status) string {
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = string(s)
	}
	return strings.Join(names, ", ")
}

func (d *decoder) jobAction(members map[string]jsontext.Value) order.JobAction {
	if _, present := members["action"]; !present {
		d.add("action", order.CodeRequired, "is required")
	}
	v := d.value(members, "action", '"', "a string")
	action := order.JobAction(unquote(v))
	if v != nil && !slices.Contains(order.JobActions(), action) {
		d.add("action", order.CodeInvalid, "must be retry, cancel, release or reject")
	}
	return action
}

// bounded reads a whole number from 1 that may be missing.
func (d *decoder) bounded(members map[string]jsontext.Value, name string, most int) int {
	text := d.number(members, name)
	if text == "" {
		return 0
	}
	n, err := wholeNumber(text, most)
	if err != nil {
		d.add(name, order.CodeOutOfRange, "%v", err)
	}
	return n
}

// jobFilter reads the filter as the query of a list would have it.
func (s *Server) jobFilter(d *decoder, members map[string]jsontext.Value) order.Filter {
	if _, present := members["filter"]; !present {
		d.add("filter", order.CodeRequired, "is required; an empty one selects all orders")
	}
	object := d.value(members, "filter", '{', "an object")
	if object == nil {
		return order.Filter{}
	}
	var values map[string]jsontext.Value
	q := &query{values: url.Values{}}
	if err := json.Unmarshal(object, &values); err != nil {
		d.add("filter", order.CodeWrongType, "must be an object")
		return order.Filter{}
	}
	inner := decoder{}
	for key, text := range inner.metadata(values) {
		q.values.Set(metadataPrefix+key, text)
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		switch v := values[name]; {
		case !slices.Contains(filterNames(), name):
			inner.add(shortName(name), order.CodeUnknownField, "is not a field of a filter")
		case name == "amount_min" || name == "amount_max":
			if text := inner.number(values, name); text != "" {
				q.values.Set(name, text)
			}
		case v.Kind() == '"':
			q.values.Set(name, unquote(v))
		default:
			inner.add(name, order.CodeWrongType, "must be a string, not %s", describe(v.Kind()))
		}
	}
	f := s.filterIn(q)
	for _, p := range append(inner.problems, q.problems...) {
		d.add("filter."+p.Field, p.Code, "%s", p.Message)
	}
	return f
}

// jobFilterView is the JSON of a job's filter.
type jobFilterView struct {
	Status           order.Status      `json:"status,omitempty"`
	Customer         string            `json:"customer,omitempty"`
	CreatedFrom      order.Timestamp   `json:"created_from,omitzero"`
	CreatedTo        order.Timestamp   `json:"created_to,omitzero"`
	IDPrefix         string            `json:"id_prefix,omitempty"`
	Queue            order.Queue       `json:"queue,omitempty"`
	Handling         order.Handling    `json:"handling,omitempty"`
	Tag              string            `json:"tag,omitempty"`
	Currency         order.Currency    `json:"currency,omitempty"`
	Country          order.Country     `json:"country,omitempty"`
	AmountMin        *order.Money      `json:"amount_min,omitempty"`
	AmountMax        *order.Money      `json:"amount_max,omitempty"`
	ErrorContains    string            `json:"error_contains,omitempty"`
	ErrorFingerprint string            `json:"error_fingerprint,omitempty"`
	SettledFrom      order.Timestamp   `json:"settled_from,omitzero"`
	SettledTo        order.Timestamp   `json:"settled_to,omitzero"`
	Metadata         map[string]string `json:"metadata,omitempty"`
}

func viewJobFilter(f order.Filter) jobFilterView {
	return jobFilterView{
		Status: f.Status, Customer: f.Customer, IDPrefix: f.IDPrefix, Queue: f.Queue, Handling: f.Handling, Tag: f.Tag,
		CreatedFrom: order.Timestamp{Time: f.CreatedFrom}, CreatedTo: order.Timestamp{Time: f.CreatedTo},
		Currency: f.Currency, Country: f.Country, AmountMin: f.AmountMin, AmountMax: f.AmountMax,
		ErrorContains: f.ErrorContains, ErrorFingerprint: f.ErrorFingerprint,
		SettledFrom: order.Timestamp{Time: f.SettledFrom}, SettledTo: order.Timestamp{Time: f.SettledTo}, Metadata: f.Metadata,
	}
}
