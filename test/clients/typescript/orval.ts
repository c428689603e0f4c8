// Calls the API with the client of orval.
import assert from "node:assert/strict";
import { cancelOrder, getOrder, getStats, listOrders, listQueues, submitOrder } from "./generated/orval";

async function main(): Promise<void> {
  const id = "orval.1";

  const submitted = await submitOrder(
    { id, amount: 19.99, items: ["tea"], customer: "ada@example.com", address: "1 Example Road" },
    { headers: { Prefer: "wait=30" } },
  );
  assert(submitted.status === 201);
  assert.equal(submitted.data.id, id);

  const got = await getOrder(id);
  assert(got.status === 200);
  assert.equal(got.data.amount, 19.99);
  assert.equal(got.data.status, "completed");

  const page = await listOrders({ customer: "ada@example.com", created_from: got.data.created_at });
  assert(page.status === 200);
  assert.ok(page.data.orders.some((order) => order.id === id));

  const later = { amount: 0.29, items: ["tea"], customer: "grace", address: "1 Example Road", process_at: new Date(Date.now() + 3600_000).toISOString() };
  const scheduled = await submitOrder(later);
  assert(scheduled.status === 201);
  assert.equal(scheduled.data.status, "scheduled");
  const cancelled = await cancelOrder(scheduled.data.id, { reason: "by mistake" });
  assert(cancelled.status === 200);
  assert.equal(cancelled.data.status, "cancelled");

  const refused = await submitOrder({ ...later, amount: 12.505 });
  assert(refused.status === 400);
  assert.equal(refused.data.type, "tag:orderprocessor,2026:invalid-order");
  assert.deepEqual(refused.data.errors?.map((error) => [error.field, error.code]), [["amount", "too_precise"]]);
  const missing = await getOrder("missing");
  assert(missing.status === 404);
  assert.equal(missing.data.status, 404);

  const stats = await getStats();
  assert(stats.status === 200);
  assert.equal(stats.data.ledger.drift, 0);
  const queues = await listQueues();
  assert(queues.status === 200);
  assert.deepEqual(queues.data.queues.map((queue) => queue.name), ["critical", "default", "low"]);
}

main().then(() => console.log("ok"));
