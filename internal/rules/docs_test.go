package rules_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/rules"
)

// TestDocumentation parses the sets of the documentation, and decides an order by each.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/RULES.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	from := func(country string, more func(*order.Submission)) rules.Facts {
		return facts(t, func(s *order.Submission) {
			s.Country, s.Metadata, s.Items = country, map[string]string{"risk": "high"}, order.SubmittedNames("Gift card")
			if more != nil {
				more(s)
			}
		}, ordertest.WithAmount("999.99"))
	}
	priced := func(s *order.Submission) {
		s.Items = []order.SubmittedItem{{Item: order.Item{Name: "cup", Detailed: true, SKU: "c"}, UnitPrice: "0"}}
	}
	buyer := from("CH", nil)
	buyer.Customer.Amount24h = 20_000_01
	for i, row := range []struct {
		facts  rules.Facts
		action order.Action
		rule   string
		queue  order.Queue
	}{
		{from("US", nil), order.ActionHold, "likely fraud", order.QueueLow},
		{from("US", nil), order.ActionHold, "new customer, expensive order", order.QueueLow},
		{buyer, order.ActionApprove, "big customer", order.QueueCritical},
		{from("KP", nil), order.ActionReject, "embargo", order.QueueLow},
		{from("US", priced), order.ActionHold, "free item", order.QueueLow},
	} {
		if i >= len(blocks) {
			t.Fatalf("only %d sets", len(blocks))
		}
		set := mustParse(t, blocks[i][1])
		if d := set.Decide(row.facts); d.Action != row.action || d.Rule != row.rule || set.Queue(row.facts) != row.queue {
			t.Errorf("set %d: %+v, queue %s", i, d, set.Queue(row.facts))
		}
		if i == 0 && !strings.Contains(string(text), "version "+set.Version()) {
			t.Errorf("the version of the first set is %s", set.Version())
		}
	}
	if len(blocks) != 5 {
		t.Errorf("%d sets", len(blocks))
	}
}
