# Medusa v2: GET /admin/orders/{id}?fields=+email,+currency_code
def present: map(select(. != null and . != ""));
def filled: with_entries(select(.value != null and .value != ""));
def exact: if fabs < 1e9 then (. * 1e6 | round) / 1e6 else . end; # without the noise of floats

(.order // .)
| (.shipping_address // .billing_address // {}) as $to
| {
    id,
    amount: (.total | exact),
    currency: (.currency_code | ascii_upcase),
    items: [.items[] | {
      name: ([.product_title, .variant_title] | present | join(" - ")), sku: .variant_sku,
      quantity, unit_price: (.unit_price | exact)} | filled],
    customer: .email,
    address: ([([$to.first_name, $to.last_name] | present | join(" ")), $to.company, $to.address_1, $to.address_2,
      ([$to.postal_code, $to.city] | present | join(" ")), $to.province] | present | join("\n")),
    country: ($to.country_code // "" | ascii_upcase),
    metadata: ({order_number: "\(.display_id)", channel: .sales_channel_id} | filled)
  }
| filled
