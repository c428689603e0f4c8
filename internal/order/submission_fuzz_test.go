package order_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

func FuzzNew(f *testing.F) {
	f.Add("ord_1", "12.50", "a|b", "Ada", "1 Road\nTown", "1", "pending", "ring\ttwice", "2001-09-09T01:46:40Z", "USD|DE|basket|77|c-1|6|2.50")
	f.Add("", "1e3", "a", "é", "x", "", "", "", "2001-09-09T03:46:40.123456789+02:00", "KWD||")
	f.Add("a,b", "0.001", "|", "\x7f", "\u0085", "4", "completed", "\xff", "0001-01-01T00:00:00Z", "usd|YU|a b|\x00| |1.0|-1")
	f.Add(strings.Repeat("x", 129), "-1", "", " ", "\n", "1.0", "x", "\x00", "tomorrow", "XYZ|D E||||9999999|1e12")
	f.Add("", "", strings.Repeat("a|", 1001), strings.Repeat("c", 255), strings.Repeat("d", 1001), "", "", "", "9999-12-31T23:59:59Z", "")
	f.Fuzz(func(t *testing.T, id, amount, list, customer, address, priority, status, notes, processAt, further string) {
		s := order.Submission{
			ID: id, Amount: amount, Items: order.SubmittedNames(strings.Split(list, "|")...), Customer: customer, Address: address,
			Priority: priority, Status: status, Notes: notes, ProcessAt: processAt,
		}
		addFurther(&s, strings.Split(further, "|"))
		o, err := fuzzTerms().New(s, time.Now())
		if err != nil {
			checkProblems(t, err)
			return
		}
		checkOrder(t, o)
	})
}

// fuzzTerms accept what some installations accept.
func fuzzTerms() order.Terms {
	return order.Terms{Currency: "USD", Currencies: []order.Currency{"USD", "JPY", "KWD"}, AddressRequired: true}
}

// addFurther sets the optional fields, as many as there are texts.
func addFurther(s *order.Submission, texts []string) {
	texts = append(texts, make([]string, 7)...)
	s.Currency, s.Country = texts[0], texts[1]
	if texts[2] != "" {
		s.Metadata = map[string]string{texts[2]: texts[3]}
	}
	if texts[4]+texts[5]+texts[6] != "" {
		s.Items[0].Detailed, s.Items[0].SKU, s.Items[0].Quantity, s.Items[0].UnitPrice = true, texts[4], texts[5], texts[6]
	}
}

// checkProblems holds an error of New to naming known fields, in their order.
func checkProblems(t *testing.T, err error) {
	t.Helper()
	fields := []string{"id", "amount", "currency", "items", "customer", "address", "country", "priority", "notes", "metadata", "status", "process_at"}
	last := 0
	for _, fieldCode := range fieldCodes(t, err) {
		name, _, _ := strings.Cut(fieldCode, " ")
		name, _, _ = strings.Cut(name, "[")
		name, _, _ = strings.Cut(name, ".")
		at := slices.Index(fields, name)
		if at < last {
			t.Errorf("%s is unknown or out of turn in %v", name, err)
		}
		last = at
	}
	if !utf8.ValidString(err.Error()) || strings.ContainsFunc(err.Error(), isControl) {
		t.Errorf("error is not printable: %q", err)
	}
}

// checkOrder holds an order from New to what its fields promise.
func checkOrder(t *testing.T, o order.Order) {
	t.Helper()
	if o.ID != "" && !order.ValidID(o.ID) {
		t.Errorf("id %q", o.ID)
	}
	if o.Amount.Compare(order.Cents(0)) <= 0 || o.Amount.Compare(order.MaxMoney(2)) > 0 || o.Priority.Name() == "" {
		t.Errorf("amount %s, priority %d", o.Amount, o.Priority)
	}
	if len(o.Items) == 0 || len(o.Items) > order.MaxItems {
		t.Errorf("%d items", len(o.Items))
	}
	if at := o.ProcessAt; !at.IsZero() && (at.Unix() < 0 || at.Nanosecond()%1000 != 0 || at.Location() != time.UTC) {
		t.Errorf("process_at %v", at)
	}
	lines := strings.NewReplacer("\n", "", "\r", "", "\t", "")
	checkText(t, "customer", o.Customer, order.MaxCustomerChars)
	checkText(t, "address", lines.Replace(o.Address), order.MaxAddressChars)
	checkText(t, "notes", lines.Replace("x"+o.Notes), order.MaxNotesChars+1)
	for _, item := range o.Items {
		checkText(t, "item", item.Name, order.MaxItemChars)
	}
	processAt := ""
	if !o.ProcessAt.IsZero() {
		processAt = o.ProcessAt.Format(time.RFC3339Nano)
	}
	again, err := fuzzTerms().New(order.Submission{
		ID: o.ID, Amount: o.Amount.String(), Items: resubmitted(o.Items), Customer: o.Customer, Address: o.Address,
		Priority: string('0' + rune(o.Priority)), Notes: o.Notes, ProcessAt: processAt,
		Currency: string(o.Currency), Country: string(o.Country), Metadata: o.Metadata,
	}, time.Now())
	if diff := cmp.Diff(o, again); diff != "" || err != nil {
		t.Errorf("submitted again: %v (-want +got):\n%s", err, diff)
	}
}

func resubmitted(items []order.Item) []order.SubmittedItem {
	all := make([]order.SubmittedItem, len(items))
	for i, item := range items {
		all[i].Item = item
		if item.Quantity > 0 {
			all[i].Quantity = strconv.Itoa(item.Quantity)
		}
		if item.UnitPrice != nil {
			all[i].UnitPrice = item.UnitPrice.String()
		}
	}
	return all
}

func checkText(t *testing.T, field, s string, maxChars int) {
	t.Helper()
	if strings.TrimSpace(s) == "" || !utf8.ValidString(s) || utf8.RuneCountInString(s) > maxChars ||
		strings.ContainsFunc(s, isControl) {
		t.Errorf("%s %q", field, s)
	}
}
