package api_test

import (
	"strings"
	"testing"

	"orderprocessor/internal/order"
)

// TestTextsThatMislead answers what shows nothing, or misleads, in each text of one
// line with the field and a code.
func TestTextsThatMislead(t *testing.T) {
	b := open(t)
	b.reach(t, "waiting", order.StatusPending)
	quote := func(text string) string { return `"` + text + `"` }
	for text, code := range map[string]string{
		`\u200b`: "required", "\ufeff": "required", `\u2063 \u00ad`: "required", "\u3164": "required",
		`a\u202eb`: "invalid", "a\u2066b": "invalid", `a\u2028b`: "invalid", "a\u2029b": "invalid", `a\u200fb`: "invalid",
	} {
		for field, a := range map[string]answer{
			"customer": b.ask(t, "POST", "/orders", body("customer", quote(text))),
			"items[0]": b.ask(t, "POST", "/orders", body("items", "["+quote(text)+"]")),
			"reason":   b.ask(t, "POST", "/orders/waiting/cancel", `{"reason":`+quote(text)+`}`),
		} {
			if p := a.problem(t, 400); len(p.Errors) != 1 || p.Errors[0].Field != field || string(p.Errors[0].Code) != code {
				t.Errorf("%s of %+q: %s", field, text, a.body)
			}
		}
	}
	b.ask(t, "POST", "/orders", body("id", `"a\u202eb"`)).problem(t, 400)
	b.ask(t, "POST", "/orders", body("address", `"\u200b"`)).problem(t, 400)
	kept := b.ask(t, "POST", "/orders", body("id", `"rtl"`, "address", "\"\u200fרחוב 1\"", "notes", `"\u2067א\u2069"`)).object(t, 201)
	if kept["address"] != "\u200fרחוב 1" || kept["notes"] != "\u2067א\u2069" {
		t.Errorf("texts of several lines became %+q, %+q", kept["address"], kept["notes"])
	}
	blank := b.ask(t, "POST", "/orders", body("id", `"blank"`, "notes", `"\u200b\ufeff"`)).object(t, 201)
	if notes, ok := blank["notes"]; ok {
		t.Errorf("notes that show nothing became %+q", notes)
	}
	if strings.Contains(b.log.String(), "\u202e") {
		t.Error("the log shows it as it is")
	}
}
