package api

import (
	"errors"
	"fmt"
)

// refusalProblem is for what is refused before a request is looked at, and for
// what has no name.
func refusalProblem(err error) problem {
	var (
		forbidden forbiddenError
		crossSite crossSiteError
		limited   limitedError
	)
	switch {
	case errors.Is(err, errUnauthorized):
		return problem{
			Type: typeKey, Title: "An API key is needed", Status: 401, challenges: []string{challengeBearer, challengeBasic},
			Detail: "Send a key that is known here, as a bearer token or as the password of HTTP Basic.",
		}
	case errors.As(err, &forbidden):
		return problem{
			Type: typeScope, Title: "The API key does not allow this", Status: 403,
			Detail:     "This needs a key with the scope " + string(forbidden.scope) + ".",
			challenges: []string{`Bearer error="insufficient_scope", scope="` + string(forbidden.scope) + `"`},
		}
	case errors.As(err, &crossSite):
		return problem{
			Type: typeCrossSite, Title: "The request comes from another site", Status: 403,
			Detail: "A browser sent this for a page of another site, which may neither change nor follow anything.",
		}
	case errors.Is(err, errForeignHost):
		return problem{
			Type: typeBlank, Status: 421,
			Detail: "Without keys the API answers browsers only as localhost or by its address.",
		}
	case errors.As(err, &limited):
		wait := max(1, seconds(limited.retryAfter))
		return problem{
			Type: typeLimited, Title: "The limit is used up", Status: 429, retryAfter: wait,
			Detail: fmt.Sprintf("Nothing was done: there may be %d a second. Send it again in %d s.", limited.perSecond, wait),
		}
	default:
		return problem{
			Type: typeBlank, Status: 500,
			Detail: "Something went wrong here. The request id finds it in the log.",
		}
	}
}
