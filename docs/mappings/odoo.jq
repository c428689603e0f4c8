# Odoo: {"sale.order": …, "sale.order.line": […], "res.partner": …}, as search_read returns
# them; the partner is partner_shipping_id. Odoo writes false for what is empty.
def present: map(select(. != null and . != "" and . != false));
def filled: with_entries(select(.value != null and .value != "" and .value != false));
def shown: if type == "array" then .[1] else null end;
def exact: if fabs < 1e9 then (. * 1e6 | round) / 1e6 else . end; # without the noise of floats

.["sale.order"] as $order | .["res.partner"] as $to
| {
    id: "odoo-\($order.id)",
    amount: ($order.amount_total | exact),
    currency: ($order.currency_id | shown),
    items: [.["sale.order.line"][] | select(.display_type | not) | {
      name: (.name | gsub("\\s*\\n\\s*"; ", ")),
      sku: ([.product_id[1]? | capture("^\\[(?<sku>[^\\]]+)\\]")] | first.sku),
      quantity: (.product_uom_qty | exact), unit_price: (.price_unit | exact)} | filled],
    customer: ([$to.email, $to.phone, $to.display_name] | present | first),
    address: ([$to.display_name, $to.street, $to.street2,
      ([$to.zip, $to.city] | present | join(" ")), ($to.state_id | shown)] | present | join("\n")),
    country: $to.country_code,
    metadata: ({order_number: $order.name, channel: ($order.team_id | shown), customer_reference: $order.client_order_ref} | filled)
  }
| filled
