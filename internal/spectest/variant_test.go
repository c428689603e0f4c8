package spectest_test

import (
	"net/http"
	"strings"
	"testing"

	"orderprocessor/internal/spectest"
)

// TestOtherSpecifications judges by what this one does not say yet.
func TestOtherSpecifications(t *testing.T) {
	t.Parallel()
	const docs = `          content:
            text/html:
              schema: { type: string }
`
	const refusals = `        "401": { $ref: "#/components/responses/Unauthorized" }
        "403": { $ref: "#/components/responses/Forbidden" }
        "429": { $ref: "#/components/responses/TooManyRequests" }
`
	order := correct(t, "GET /orders/{id}", "200")
	page := correct(t, "GET /docs", "200")
	blank := page
	blank.body = ""
	longID := question{method: "GET", path: "/orders/" + strings.Repeat("x", 65)}
	rows := []struct {
		name, from, to string
		question
		answer
		want string
	}{
		{
			"required query parameter", "name: status\n          in: query", "name: status\n          required: true\n          in: query",
			question{method: "GET", path: "/orders?limit=1"},
			correct(t, "GET /orders", "200"), "query parameter status is missing",
		},
		{
			"parameter of a path in another way", "operationId: getOrder\n",
			"operationId: getOrder\n      parameters: [{ name: id, in: path, required: true, schema: { type: string } }]\n",
			longID, order, "",
		},
		{
			"operation with the path of another", "    get:\n      operationId: getOrder\n", "    post:\n      operationId: getOrder\n",
			questions()["POST /orders/batch"], correct(t, "POST /orders/batch", "200"), "",
		},
		{
			"no such status", docs + refusals + `        default: { $ref: "#/components/responses/Problem" }`, docs + refusals,
			questions()["GET /docs"], correct(t, "GET /docs", "default"), "the status is not specified",
		},
		{"body where there is none", docs, "", questions()["GET /docs"], page, "there is a body"},
		{"no body where there is none", docs, "", questions()["GET /docs"], blank, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			spec, err := parse(t, row.from, row.to)
			if err != nil {
				t.Fatal(err)
			}
			r := &recorder{TB: t}
			c := &http.Client{Transport: spectest.TransportOf(spec, r, &fixed{answer: row.answer})}
			if _, _, err := send(t, c, "http://localhost", row.question); err != nil {
				t.Fatal(err)
			}
			if row.want == "" {
				wantNone(t, r.reports())
				return
			}
			wantReport(t, r.reports(), row.question, row.status, row.want)
		})
	}
}
