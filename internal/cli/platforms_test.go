package cli_test

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
)

func readShopify(t *testing.T, document []byte) (want platformOrder) {
	t.Helper()
	var o struct {
		ID       json.Number
		Total    json.Number `json:"total_price"`
		Currency string
		Address  struct {
			Country string `json:"country_code"`
		} `json:"shipping_address"`
		Lines []struct{ Quantity, Price json.Number } `json:"line_items"`
	}
	mustDecode(t, document, &o)
	for _, line := range o.Lines {
		want.Lines = append(want.Lines, platformLine{line.Quantity.String(), exact(t, line.Price)})
	}
	want.ID, want.Amount, want.Currency, want.Country = "shopify-"+o.ID.String(), exact(t, o.Total), o.Currency, o.Address.Country
	return want
}

// readWooCommerce reads an order with prices that include tax, to the billing address.
func readWooCommerce(t *testing.T, document []byte) (want platformOrder) {
	t.Helper()
	var o struct {
		ID       json.Number
		Total    json.Number
		Currency string
		Billing  struct{ Country string }
		Lines    []struct {
			Quantity json.Number
			Subtotal json.Number
			Tax      json.Number `json:"subtotal_tax"`
		} `json:"line_items"`
	}
	mustDecode(t, document, &o)
	for _, line := range o.Lines {
		sum := new(big.Rat).Add(rational(t, line.Subtotal), rational(t, line.Tax))
		price := sum.Quo(sum, rational(t, line.Quantity))
		want.Lines = append(want.Lines, platformLine{line.Quantity.String(), price.FloatString(3)})
	}
	want.ID, want.Amount, want.Currency, want.Country = "woocommerce-"+o.ID.String(), exact(t, o.Total), o.Currency, o.Billing.Country
	return want
}

func readSaleor(t *testing.T, document []byte) (want platformOrder) {
	t.Helper()
	type price struct {
		Gross struct {
			Amount   json.Number
			Currency string
		}
	}
	var event struct {
		Order struct {
			ID              string
			Total           price
			ShippingAddress struct{ Country struct{ Code string } }
			Lines           []struct {
				Quantity              json.Number
				UndiscountedUnitPrice price
			}
		}
	}
	mustDecode(t, document, &event)
	o := event.Order
	for _, line := range o.Lines {
		want.Lines = append(want.Lines, platformLine{line.Quantity.String(), exact(t, line.UndiscountedUnitPrice.Gross.Amount)})
	}
	want.ID, want.Amount, want.Currency, want.Country = o.ID, exact(t, o.Total.Gross.Amount), o.Total.Gross.Currency, o.ShippingAddress.Country.Code
	return want
}

func readMedusa(t *testing.T, document []byte) (want platformOrder) {
	t.Helper()
	var answer struct {
		Order struct {
			ID       string
			Total    json.Number
			Currency string `json:"currency_code"`
			Address  struct {
				Country string `json:"country_code"`
			} `json:"shipping_address"`
			Items []struct {
				Quantity json.Number
				Price    struct{ Value json.Number } `json:"raw_unit_price"`
			}
		}
	}
	mustDecode(t, document, &answer)
	o := answer.Order
	for _, item := range o.Items {
		want.Lines = append(want.Lines, platformLine{item.Quantity.String(), exact(t, item.Price.Value)})
	}
	want.ID, want.Amount = o.ID, exact(t, o.Total)
	want.Currency, want.Country = strings.ToUpper(o.Currency), strings.ToUpper(o.Address.Country)
	return want
}

func readOdoo(t *testing.T, document []byte) (want platformOrder) {
	t.Helper()
	var d struct {
		Order struct {
			ID       json.Number
			Total    json.Number `json:"amount_total"`
			Currency []any       `json:"currency_id"`
		} `json:"sale.order"`
		Lines []struct {
			Quantity json.Number `json:"product_uom_qty"`
			Price    json.Number `json:"price_unit"`
			Section  any         `json:"display_type"`
		} `json:"sale.order.line"`
		Partner struct {
			Country string `json:"country_code"`
		} `json:"res.partner"`
	}
	mustDecode(t, document, &d)
	for _, line := range d.Lines {
		if line.Section == false {
			want.Lines = append(want.Lines, platformLine{rational(t, line.Quantity).RatString(), exact(t, line.Price)})
		}
	}
	want.ID, want.Amount = "odoo-"+d.Order.ID.String(), exact(t, d.Order.Total)
	want.Currency, want.Country = d.Order.Currency[1].(string), d.Partner.Country
	return want
}
