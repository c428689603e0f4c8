package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"orderprocessor/internal/app"
	"orderprocessor/internal/order"
)

// examineAPI looks at the API and at the key to it. Reached says whether it answers
// at all.
func examineAPI(ctx context.Context, client *Client) (found []app.Finding, reached bool) {
	client.http.Timeout = doctorPatience
	found = []app.Finding{judgeAddress(client)}
	err := client.Health(ctx)
	found = append(found, judgeHealth(err))
	var none *UnreachableError
	if errors.As(err, &none) {
		return found, false
	}
	answer, err := client.Stats(ctx)
	found = append(found, judgeKey(client.key != "", err))
	if err != nil {
		return found, true
	}
	stats, err := decodeStats(answer)
	return append(found, judgeBooks(stats, err)), true
}

// judgeAddress looks at whether keys and orders are readable on their way.
func judgeAddress(c *Client) app.Finding {
	f := app.Finding{Area: areaAPI, Check: "address", State: app.FindingOK, Found: order.Printable(c.base.Redacted())}
	switch ip := net.ParseIP(c.base.Hostname()); {
	case c.base.Scheme == "https":
		f.Found += ", over TLS"
	case c.base.Hostname() == "localhost", ip.IsLoopback():
		f.Found += ", on this machine"
	default:
		f.State = app.FindingWarning
		f.Found += ": keys and orders can be read on their way"
		f.Advice = "put TLS in front of the API, and name it with https in --api or " + apiVariable
	}
	return f
}

func judgeHealth(err error) app.Finding {
	f := app.Finding{Area: areaAPI, Check: "health", State: app.FindingOK, Found: "healthy: orders are taken and worked"}
	if err != nil {
		f.State, f.Found, f.Advice = app.FindingProblem, order.Printable(err.Error()), healthAdvice(err)
	}
	return f
}

// healthAdvice goes by the reason that the API gives, if it answers.
func healthAdvice(err error) string {
	var answer *AnswerError
	if !errors.As(err, &answer) {
		return "start the API, or set --api right"
	}
	switch answer.Reason {
	case redisAway:
		return "bring Redis back: API and workers go on by themselves"
	case "no worker is alive":
		return "start workers, and see their log for why they ended"
	case "the queues are full":
		return "see whether a queue is paused, all slots are busy, or the shop answers errors (orderctl list --status retrying)"
	case "Redis is nearly full: all new orders are refused":
		return "raise maxmemory by CONFIG SET, or shorten ORDERS_RETENTION and restart the workers"
	default:
		return "see the findings about Redis, and the log of the API"
	}
}

// judgeKey goes by what GET /stats was answered, which needs the scope read.
func judgeKey(keyed bool, err error) app.Finding {
	f := app.Finding{Area: areaAPI, Check: "key", State: app.FindingOK}
	switch {
	case err == nil && keyed:
		f.Found = "known, with the scope read; submit and admin are not checked"
	case err == nil:
		f.Found = "the API asks for none"
	case answered(err, http.StatusForbidden):
		f.State, f.Found = app.FindingWarning, "known, and without the scope read; submit and admin are not checked"
		f.Advice = "an operator's key needs read, and admin for retries and pauses: orderctl keys new --name operator --scope read+admin"
	case answered(err, http.StatusUnauthorized):
		f.State, f.Found = app.FindingProblem, order.Printable(err.Error())
		f.Advice = "set " + keyVariable + " or --key-file to a key whose line is in ORDERS_API_KEYS of that API"
	default:
		f.State, f.Found = app.FindingNotChecked, order.Printable(err.Error())
	}
	return f
}

func answered(err error, status int) bool {
	var answer *AnswerError
	return errors.As(err, &answer) && answer.Status == status
}

// judgeBooks looks at the books as the API sees them, which may be those of another
// Redis than REDIS_URL names here.
func judgeBooks(v statsView, err error) app.Finding {
	f := app.Finding{Area: areaAPI, Check: "books", State: app.FindingOK}
	switch {
	case err != nil:
		f.State, f.Found, f.Advice = app.FindingProblem, err.Error(), "set --api right"
	case v.Ledger.Drift != 0:
		f.State, f.Found = app.FindingProblem, fmt.Sprintf("the drift is %d: the books do not balance", v.Ledger.Drift)
		f.Advice = "keep the log and a copy of the data, and see what docs/OPERATIONS.md says of ledger.drift"
	default:
		f.Found = fmt.Sprintf("balanced, %d orders accepted, %s worker slots", v.Ledger.Accepted, numberText(v.ActiveWorkers))
	}
	return f
}
