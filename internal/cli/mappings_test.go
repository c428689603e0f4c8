package cli_test

import (
	"bytes"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/itchyny/gojq"
)

// platformOrder is what must not get lost of a platform's order. All amounts have three
// decimals.
type platformOrder struct {
	ID, Amount, Currency, Country string
	Lines                         []platformLine
}

type platformLine struct{ Quantity, Price string }

// TestMappings runs the mapping of each platform on an order of it, submits the result,
// and compares the order that arrived with what the platform's own document says.
func TestMappings(t *testing.T) {
	t.Parallel()
	in := world{environ: []string{"ORDERCTL_API=" + startService(t, "ORDERS_CURRENCIES=USD,EUR,GBP,JPY,KWD")}}
	for platform, read := range map[string]func(*testing.T, []byte) platformOrder{
		"shopify": readShopify, "woocommerce": readWooCommerce, "saleor": readSaleor, "medusa": readMedusa, "odoo": readOdoo,
	} {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			document := readFile(t, "../../docs/examples/"+platform+"-order.json")
			want := read(t, document)
			if len(want.Lines) < 2 {
				t.Fatalf("the example has %d lines", len(want.Lines))
			}
			in := in
			in.stdin = bytes.NewReader(mapped(t, platform, document))
			orderctlIn(t, in, "submit", "-").mustExit(t, 0, `accepted +1\n`)
			if diff := cmp.Diff(want, arrived(t, in, want.ID)); diff != "" {
				t.Errorf("the order (-document +arrived):\n%s", diff)
			}
		})
	}
}

// TestMappingsLoseNothing changes one number of a document and checks how it is sent on:
// exactly, or such that the API refuses it.
func TestMappingsLoseNothing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, platform, from, to, want string }{
		{"a large amount of Shopify", "shopify", `"total_price": "58.45"`, `"total_price": "999999999999.99"`, `"amount":999999999999.99,`},
		{"a large amount with three decimals", "woocommerce", `"total": "13.350"`, `"total": "999999999999.999"`, `"amount":999999999999.999,`},
		{"a large amount of Saleor", "saleor", `"amount": 8350.0`, `"amount": 999999999999.0`, `"amount":999999999999`},
		{"a large amount of Medusa", "medusa", `"total": 1243.4700000000003,`, `"total": 999999999999.99,`, `"amount":999999999999.99,`},
		{"a large amount of Odoo", "odoo", `1293.3700000000001`, `999999999999.99`, `"amount":999999999999.99,`},
		{"a fraction of a unit", "odoo", `"product_uom_qty": 12.0`, `"product_uom_qty": 12.5`, `"quantity":12.5,`},
		{"a million", "odoo", `"product_uom_qty": 12.0`, `"product_uom_qty": 1000000.0`, `"quantity":1000000,`},
		{"a price with four decimals", "odoo", `17.900000000000002`, `17.9125`, `"unit_price":17.9125}`},
		{"a price that does not divide", "woocommerce", `"subtotal": "10.714"`, `"subtotal": "10.716"`, `"unit_price":3.750667}`},
		{"an order without a team", "odoo", `[
      2,
      "Website"
    ]`, `false`, `"order_number":"S00042"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			document := string(readFile(t, "../../docs/examples/"+tt.platform+"-order.json"))
			if !strings.Contains(document, tt.from) {
				t.Fatalf("the example has no %s", tt.from)
			}
			if got := string(mapped(t, tt.platform, []byte(strings.Replace(document, tt.from, tt.to, 1)))); !strings.Contains(got, tt.want) {
				t.Errorf("got %s", got)
			}
		})
	}
}

// mapped runs the mapping of a platform on a document of it, as jq does.
func mapped(t *testing.T, platform string, document []byte) []byte {
	t.Helper()
	query, err := gojq.Parse(string(readFile(t, "../../docs/mappings/"+platform+".jq")))
	if err != nil {
		t.Fatal(err)
	}
	var input any
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	if err := decoder.Decode(&input); err != nil {
		t.Fatal(err)
	}
	results := query.Run(input)
	result, _ := results.Next()
	if err, failed := result.(error); failed || result == nil {
		t.Fatalf("no order: %v", err)
	}
	text, err := gojq.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	if more, there := results.Next(); there {
		t.Fatalf("more than one order: %v", more)
	}
	return text
}

// arrived returns an order that the API has.
func arrived(t *testing.T, in world, id string) platformOrder {
	t.Helper()
	c := orderctlIn(t, in, "get", id, "-o", "json")
	c.mustExit(t, 0)
	var o struct {
		ID, Currency, Country string
		Amount                json.Number
		Items                 []struct {
			Quantity json.Number
			Price    json.Number `json:"unit_price"`
		}
	}
	mustDecode(t, []byte(c.stdout.String()), &o)
	got := platformOrder{ID: o.ID, Amount: exact(t, o.Amount), Currency: o.Currency, Country: o.Country}
	for _, item := range o.Items {
		got.Lines = append(got.Lines, platformLine{item.Quantity.String(), exact(t, item.Price)})
	}
	return got
}

// exact writes an amount with three decimals. Only the noise of floats may be lost by
// that.
func exact(t *testing.T, amount json.Number) string {
	t.Helper()
	return rational(t, amount).FloatString(3)
}

func rational(t *testing.T, amount json.Number) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(amount.String())
	if !ok {
		t.Fatalf("%q is not a number", amount)
	}
	return r
}

func mustDecode(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	return text
}
