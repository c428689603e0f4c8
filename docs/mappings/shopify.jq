# Shopify: an order of the Admin REST API, or what the webhook orders/create sends.
def present: map(select(. != null and . != ""));
def filled: with_entries(select(.value != null and .value != ""));

(.order // .)
| (.shipping_address // .billing_address // {}) as $to
| {
    id: "shopify-\(.admin_graphql_api_id | split("/") | last)",
    amount: (.total_price | tonumber),
    currency: .currency,
    items: [.line_items[] | {name, sku, quantity, unit_price: (.price | tonumber)} | filled],
    customer: ([.email, .phone, $to.name] | present | first),
    address: ([$to.name, $to.company, $to.address1, $to.address2,
      ([$to.zip, $to.city] | present | join(" ")), $to.province] | present | join("\n")),
    country: $to.country_code,
    notes: .note,
    metadata: ({order_number: .name, channel: .source_name, financial_status} | filled)
  }
| filled
