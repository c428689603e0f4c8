package cli_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCSVExamples submits the examples of docs/INTEGRATIONS.md and compares what arrived.
func TestCSVExamples(t *testing.T) {
	t.Parallel()
	in := world{environ: []string{"ORDERCTL_API=" + startService(t, "ORDERS_CURRENCIES=USD,EUR")}}
	const examples = "../../docs/examples/"
	shopify := []string{"submit", examples + "shopify-orders.csv", "--mapping", examples + "shopify-mapping.yaml"}
	orderctlIn(t, in, "submit", examples+"orders.csv").mustExit(t, 0, `accepted +2\n`)
	orderctlIn(t, in, shopify...).mustExit(t, 0, `accepted +2\n`)
	orderctlIn(t, in, shopify...).mustExit(t, 0, `accepted +0\nreplayed +2 `)
	for _, want := range []string{
		`{"id":"csv-1001","amount":30.40,"currency":"USD","customer":"jane@example.com","country":"US","priority":1,"notes":"Leave at the door",
			"address":"Jane Doe\n1 Example Road\nSpringfield, IL 62701","metadata":{"channel":"web"},
			"items":[{"name":"Green tea 100 g","sku":"TEA-G-100","quantity":2,"unit_price":8.50},{"name":"Cup","sku":"CUP-1","quantity":1,"unit_price":9.90}]}`,
		`{"id":"csv-1002","amount":12.50,"currency":"USD","customer":"sam@example.com","country":"IE","priority":2,
			"address":"Sam Roe, 7 Sample Street, Dublin","metadata":{"channel":"phone"},
			"items":[{"name":"Earl Grey 100 g","sku":"TEA-E-100","quantity":1,"unit_price":12.50}]}`,
		`{"id":"#1001","amount":58.45,"currency":"EUR","customer":"lena.vogt@example.com","country":"DE","priority":2,
			"notes":"Bitte klingeln.\nHinterhaus, 2. Stock","address":"Lena Vogt\nBeispielweg 5\n'10115\nBerlin",
			"metadata":{"channel":"shopify","shopify_id":"6101234567001","discount_code":"SPRING10"},
			"items":[{"name":"Green tea - 100 g","sku":"TEA-G-100","quantity":3,"unit_price":12.50},{"name":"Cup, \"Blue\"","sku":"CUP-B","quantity":2,"unit_price":11.00}]}`,
		`{"id":"#1002","amount":8.90,"currency":"EUR","customer":"tom.hale@example.com","country":"GB","priority":2,
			"address":"Tom Hale\n4 Sample Lane, Flat 2\nLS1 4AP\nLeeds\nENG","metadata":{"channel":"shopify","shopify_id":"6101234567002"},
			"items":[{"name":"Sampler","quantity":1,"unit_price":8.90}]}`,
	} {
		var sent, got map[string]any
		mustDecode(t, []byte(want), &sent)
		c := orderctlIn(t, in, "get", sent["id"].(string), "-o", "json")
		mustDecode(t, []byte(c.stdout.String()), &got)
		for field := range got {
			if _, asked := sent[field]; !asked && field != "notes" && field != "process_at" {
				delete(got, field) // what became of it
			}
		}
		if diff := cmp.Diff(sent, got); diff != "" {
			t.Errorf("the order (-sent +arrived):\n%s", diff)
		}
	}
}

// TestSubmitCSV checks that rows are submitted, refused and counted as lines of JSON are.
func TestSubmitCSV(t *testing.T) {
	t.Parallel()
	api := startService(t)
	const header = "id,amount,item,customer,address\n"
	for _, tt := range []struct {
		name, file, args string
		status           int
		want             []string
	}{
		{"from a pipe", "\uFEFFid;amount;item;customer;address\na;5;tea;ada;London\n", "--format csv", 0, []string{`accepted +1\n`}},
		{"bad rows", header + "b,0.001,tea,ada,London\nc,\"1,50\",tea,ada,London\nd,5,tea,ada,London\n", "--format csv", 1, []string{
			`accepted +1\n`, `refused +2\n\nline 2: 400: amount must have at most two decimals\nline 3: amount must be a number such as 1234\.50, not "1,50"\n`,
			`orderctl: 2 of 3 orders were not accepted\n$`,
		}},
		{"without ids", "amount,item,customer,address\n5,tea,ada,London\n5,tea,ada,London\n", "--format csv", 0, []string{`accepted +2\n`}},
		{"a header only", header, "--format csv", 1, []string{`orderctl: there is no order in the input\n$`}},
		{"another header", "Id,Total\n1,2\n", "--format csv", 1, []string{`orderctl: read the orders: the header of the CSV: "Id" is not a field of an order; the fields are id, amount, `}},
		{"no CSV", header, "", 1, []string{`line 1: is not valid JSON: it looks like CSV; give the file a name that ends in \.csv, or say --format csv\n`}},
		{"a mapping of JSON", "{}", "--format json --mapping /nowhere", 2, []string{`orderctl: --mapping goes with CSV`}},
		{"no mapping", header, "--mapping /nowhere", 1, []string{`^orderctl: read the mapping: open /nowhere: `}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := world{stdin: strings.NewReader(tt.file), environ: []string{"ORDERCTL_API=" + api}}
			orderctlIn(t, in, append([]string{"submit", "-"}, strings.Fields(tt.args)...)...).mustExit(t, tt.status, tt.want...)
		})
	}
}
