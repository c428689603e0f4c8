# Saleor: what the webhook ORDER_CREATED sends for the query in saleor.graphql.
def present: map(select(. != null and . != ""));
def filled: with_entries(select(.value != null and .value != ""));

(.order // .)
| (.shippingAddress // .billingAddress // {}) as $to
| {
    id,
    amount: .total.gross.amount,
    currency: .total.gross.currency,
    items: [.lines[] | {
      name: ([.productName, .variantName] | present | join(" - ")), sku: .productSku,
      quantity, unit_price: .undiscountedUnitPrice.gross.amount} | filled],
    customer: .userEmail,
    address: ([([$to.firstName, $to.lastName] | present | join(" ")), $to.companyName, $to.streetAddress1, $to.streetAddress2,
      ([$to.postalCode, $to.city] | present | join(" ")), $to.countryArea] | present | join("\n")),
    country: $to.country.code,
    notes: .customerNote,
    metadata: ({order_number: .number, channel: .channel.slug} | filled)
  }
| filled
