// Calls the API with the types of openapi-typescript.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./generated/api";

async function main(baseUrl: string): Promise<void> {
  const client = createClient<paths>({ baseUrl });
  const id = "typescript.1";

  const submitted = await client.POST("/orders", {
    params: { header: { Prefer: "wait=30" } },
    body: { id, amount: 19.99, items: ["tea"], customer: "ada@example.com", address: "1 Example Road" },
  });
  assert.equal(submitted.response.status, 201);
  assert.equal(submitted.data?.id, id);

  const got = await client.GET("/orders/{id}", { params: { path: { id } } });
  assert.equal(got.data?.amount, 19.99);
  assert.equal(got.data?.status, "completed");

  const page = await client.GET("/orders", { params: { query: { customer: "ada@example.com", created_from: got.data?.created_at } } });
  assert.ok(page.data?.orders.some((order) => order.id === id));

  const later = { amount: 0.29, items: ["tea"], customer: "grace", address: "1 Example Road", process_at: new Date(Date.now() + 3600_000).toISOString() };
  const scheduled = await client.POST("/orders", { body: later });
  assert.equal(scheduled.data?.status, "scheduled");
  const cancelled = await client.POST("/orders/{id}/cancel", { params: { path: { id: scheduled.data!.id } }, body: { reason: "by mistake" } });
  assert.equal(cancelled.data?.status, "cancelled");

  const batch = await client.POST("/orders/batch", { body: [{ ...later, amount: 1.13 }, { ...later, amount: 0 }] });
  assert.deepEqual(batch.data?.map((verdict) => ("problem" in verdict ? verdict.problem.title : verdict.status)), [201, "The order is not valid"]);

  const refused = await client.POST("/orders", { body: { ...later, amount: 12.505 } });
  assert.equal(refused.response.status, 400);
  assert.equal(refused.error?.type, "tag:orderprocessor,2026:invalid-order");
  assert.deepEqual(refused.error?.errors?.map((error) => [error.field, error.code]), [["amount", "too_precise"]]);
  const missing = await client.GET("/orders/{id}", { params: { path: { id: "missing" } } });
  assert.equal(missing.error?.status, 404);

  const stats = await client.GET("/stats");
  assert.equal(stats.data?.ledger.drift, 0);
  const queues = await client.GET("/queues");
  assert.deepEqual(queues.data?.queues.map((queue) => queue.name).sort(), Object.keys(stats.data!.queues).sort());
}

main(process.env.API_URL!).then(() => console.log("ok"));
