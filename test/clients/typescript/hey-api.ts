// Calls the API with the client of @hey-api/openapi-ts.
import assert from "node:assert/strict";
import { cancelOrder, getOrder, getStats, listOrders, listQueues, submitOrder } from "./generated/hey-api";
import { client } from "./generated/hey-api/client.gen";

async function main(baseUrl: string): Promise<void> {
  client.setConfig({ baseUrl });
  const id = "hey-api.1";

  const submitted = await submitOrder({
    headers: { Prefer: "wait=30" },
    body: { id, amount: 19.99, items: ["tea"], customer: "ada@example.com", address: "1 Example Road" },
  });
  assert.equal(submitted.response?.status, 201);
  assert.equal(submitted.data?.id, id);

  const got = await getOrder({ path: { id } });
  assert.equal(got.data?.amount, 19.99);
  assert.equal(got.data?.status, "completed");

  const page = await listOrders({ query: { customer: "ada@example.com", created_from: got.data?.created_at } });
  assert.ok(page.data?.orders.some((order) => order.id === id));

  const later = { amount: 0.29, items: ["tea"], customer: "grace", address: "1 Example Road", process_at: new Date(Date.now() + 3600_000).toISOString() };
  const scheduled = await submitOrder({ body: later });
  assert.equal(scheduled.data?.status, "scheduled");
  const cancelled = await cancelOrder({ path: { id: scheduled.data!.id }, body: { reason: "by mistake" } });
  assert.equal(cancelled.data?.status, "cancelled");

  const refused = await submitOrder({ body: { ...later, amount: 12.505 } });
  assert.equal(refused.response?.status, 400);
  assert.equal(refused.error?.type, "tag:orderprocessor,2026:invalid-order");
  assert.deepEqual(refused.error?.errors?.map((error) => [error.field, error.code]), [["amount", "too_precise"]]);
  const missing = await getOrder({ path: { id: "missing" } });
  assert.equal(missing.error?.status, 404);

  const stats = await getStats();
  assert.equal(stats.data?.ledger.drift, 0);
  const queues = await listQueues();
  assert.deepEqual(queues.data?.queues.map((queue) => queue.name), ["critical", "default", "low"]);
}

main(process.env.API_URL!).then(() => console.log("ok"));
