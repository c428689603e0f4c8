# WooCommerce: an order of the REST API v3, or what the webhook order.created sends.
def present: map(select(. != null and . != ""));
def filled: with_entries(select(.value != null and .value != ""));
def exact: if fabs < 1e9 then (. * 1e6 | round) / 1e6 else . end; # without the noise of floats

.prices_include_tax as $gross
| (if (.shipping.address_1 // "") == "" then .billing else .shipping end) as $to
| {
    id: "woocommerce-\(.id)",
    amount: (.total | tonumber),
    currency: .currency,
    items: [.line_items[] | {name, sku, quantity, unit_price: ((
      (.subtotal | tonumber) + (if $gross then .subtotal_tax | tonumber else 0 end)) / .quantity | exact)} | filled],
    customer: ([.billing.email, .billing.phone] | present | first),
    address: ([([$to.first_name, $to.last_name] | present | join(" ")), $to.company, $to.address_1, $to.address_2,
      ([$to.postcode, $to.city] | present | join(" ")), $to.state] | present | join("\n")),
    country: $to.country,
    notes: .customer_note,
    metadata: ({order_number: .number, channel: .created_via, payment_method} | filled)
  }
| filled
