-- {key}, {text}, {bigint} and {norowid} are replaced by what each database calls them; see
-- dialect.go. All texts compare byte by byte. Times are microseconds since 1970.
--
-- A migration that has been released never changes.

CREATE TABLE orders (
    key         {key},
    id          {text} NOT NULL,
    created_at  {bigint} NOT NULL, -- acceptance; an id may be used again later
    sequence    {bigint} NOT NULL, -- number of the newest event; the higher one wins
    settled_at  {bigint},          -- not before created_at, even if a clock went back
    amount      {bigint} NOT NULL, -- in 1/10,000 of the currency's major unit
    status      {text} NOT NULL,
    queue       {text} NOT NULL,
    handling    {text} NOT NULL,
    currency    {text} NOT NULL,
    country     {text} NOT NULL,
    customer    {text} NOT NULL,
    error       {text} NOT NULL,
    fingerprint {text} NOT NULL, -- of the error of a failed order, else empty
    record      {text} NOT NULL, -- the whole record as JSON; the columns above are to search by
    events      {text} NOT NULL  -- the timeline as JSON
);

-- Get, Put's conflicts, and id_prefix when few orders have the prefix.
CREATE UNIQUE INDEX orders_by_id ON orders (id, created_at);
-- created_from, created_to, the list without a filter, and every filter without an index
-- of its own. With the columns behind the first, looking at an order that does not match
-- takes a tenth of the time, as nothing is read but the index.
CREATE INDEX orders_by_created ON orders (created_at, settled_at, amount, queue, handling);
CREATE INDEX orders_by_customer ON orders (customer, created_at);
CREATE INDEX orders_by_status ON orders (status, created_at);
-- settled_from and settled_to when few orders match, and the retention.
CREATE INDEX orders_by_settled ON orders (settled_at, created_at) WHERE settled_at IS NOT NULL;
-- These cost nothing for the orders that name none, or have no error.
CREATE INDEX orders_by_country ON orders (country, created_at) WHERE country <> '';
CREATE INDEX orders_by_currency ON orders (currency, created_at) WHERE currency <> '';
CREATE INDEX orders_by_error ON orders (created_at) WHERE error <> '';
-- The groups of failures.
CREATE INDEX orders_by_failure ON orders (fingerprint, settled_at) WHERE fingerprint <> '';

-- The tags of an order (name "tag") and its metadata (name "metadata." and the key).
CREATE TABLE labels (
    order_key  {bigint} NOT NULL REFERENCES orders (key) ON DELETE CASCADE,
    name       {text} NOT NULL,
    value      {text} NOT NULL,
    created_at {bigint} NOT NULL, -- that of the order
    PRIMARY KEY (order_key, name, value)
) {norowid};
-- tag and metadata.<key>.
CREATE INDEX labels_by_value ON labels (name, value, created_at);
