package api

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/order"
)

// requestError lists the parameters or fields of a request that are not valid.
type requestError struct{ problems []order.FieldError }

// Error implements error.
func (e *requestError) Error() string {
	return e.problems[0].Field + " " + e.problems[0].Message
}

// mistakes collects what is wrong with a request.
type mistakes struct{ problems []order.FieldError }

func (m *mistakes) add(field string, code order.Code, format string, args ...any) {
	m.problems = append(m.problems, order.FieldError{Field: field, Code: code, Message: fmt.Sprintf(format, args...)})
}

func (m *mistakes) err() error {
	if len(m.problems) == 0 {
		return nil
	}
	return &requestError{m.problems}
}

// query reads the query of a request.
type query struct {
	mistakes

	values url.Values
}

// queryOf reads a query that may have these parameters, each at most once. A name that
// ends with a point allows all that begin with it.
func queryOf(c *fiber.Ctx, names ...string) *query {
	q := &query{}
	var err error
	q.values, err = url.ParseQuery(string(c.Request().URI().QueryString()))
	if err != nil {
		q.add("query", order.CodeInvalid, "is not encoded correctly")
	}
	for _, name := range slices.Sorted(maps.Keys(q.values)) {
		prefix, _, _ := strings.Cut(name+".", ".")
		if !slices.Contains(names, name) && (prefix == name || !slices.Contains(names, prefix+".")) {
			q.add(shortName(name), order.CodeUnknownField, "is not a parameter of this path")
		} else if len(q.values[name]) > 1 {
			q.add(shortName(name), order.CodeTooMany, "must not be given more than once")
		}
	}
	return q
}

// noQuery refuses a query on a path that has no parameters.
func noQuery(c *fiber.Ctx) error {
	if err := queryOf(c).err(); err != nil {
		return err
	}
	return c.Next()
}

// value returns the value of a parameter. ok is false when it is missing or empty; an empty
// value is a problem.
func (q *query) value(name string) (value string, ok bool) {
	if !q.values.Has(name) {
		return "", false
	}
	value = q.values.Get(name)
	if value == "" {
		q.add(name, order.CodeInvalid, "must not be empty")
	}
	return value, value != ""
}

func (q *query) text(name string, maxChars int) string {
	value, ok := q.value(name)
	switch {
	case !ok:
		return ""
	case !utf8.ValidString(value):
		q.add(name, order.CodeInvalid, "must be valid UTF-8")
	case utf8.RuneCountInString(value) > maxChars:
		q.add(name, order.CodeTooLong, "must have at most %d characters", maxChars)
	}
	return value
}

func (q *query) status(name string) order.Status {
	value, ok := q.value(name)
	if ok && !slices.Contains(order.Statuses(), order.Status(value)) {
		q.add(name, order.CodeInvalid, "must be the status of an order, as in pending or completed")
	}
	return order.Status(value)
}

func (q *query) time(name string) time.Time {
	value, ok := q.value(name)
	if !ok {
		return time.Time{}
	}
	t, err := parseTime(value)
	if err != nil {
		q.add(name, order.CodeInvalid, "%v", err)
	}
	return t
}

func (q *query) limit(most, otherwise int) int {
	const name = "limit"
	value, ok := q.value(name)
	if !ok {
		return otherwise
	}
	n, err := wholeNumber(value, most)
	if err != nil {
		q.add(name, order.CodeOutOfRange, "%v", err)
	}
	return n
}

// list reads values that are separated by commas.
func (q *query) list(name string, most int) []string {
	text, ok := q.value(name)
	if !ok {
		return nil
	}
	all := strings.Split(text, ",")
	if len(all) > most {
		q.add(name, order.CodeTooMany, "must be at most %d values", most)
		return nil
	}
	return all
}

// wholeNumber reads a number from 1 to a bound.
func wholeNumber(text string, most int) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || n < 1 || int(n) > most {
		return 0, fmt.Errorf("must be a whole number from 1 to %d", most)
	}
	return int(n), nil
}

// parseTime reads a time after 1970.
func parseTime(text string) (time.Time, error) {
	t, err := order.ParseTime(text)
	if err == nil && t.Unix() < 0 {
		err = errors.New("must be after 1970")
	}
	return t, err
}

// pathValue returns a segment of the path, percent-decoded. Segments end at literal
// slashes; an encoded slash is part of the value.
func pathValue(c *fiber.Ctx, name string) (value string, ok bool) {
	value, err := url.PathUnescape(c.Params(name))
	return strings.Clone(value), err == nil
}
