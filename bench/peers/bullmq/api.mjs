// The API of an order service as one would build it on BullMQ. The only argument is the
// address of Redis. Its log has its own address.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { Queue } from "bullmq";
import { connect, queueName, Store } from "./store.mjs";

const pageOrders = 50;
const store = new Store(connect(process.argv[2]));
const queue = new Queue(queueName, { connection: connect(process.argv[2]) });

function answer(res, status, body, headers) {
  const text = JSON.stringify(body);
  res.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text), ...headers });
  res.end(text);
}

function incomplete({ amount, items, customer, address, priority }) {
  return !(amount > 0) || !Array.isArray(items) || items.length === 0 || !customer || !address || ![1, 2, 3].includes(priority);
}

// submit answers once the record and the job are durable. The id of the order is that of
// its job, so that a client that repeats an order after a crash between the two steps gets
// its job too.
async function submit(req, res) {
  let text = "";
  req.setEncoding("utf8");
  for await (const part of req) text += part;
  let order;
  try {
    order = { priority: 2, ...JSON.parse(text) };
  } catch {
    return answer(res, 400, { detail: "not JSON" });
  }
  if (incomplete(order)) return answer(res, 400, { detail: "amount, items, customer and address are required" });
  order.id ??= randomUUID();
  const now = Date.now();
  const created = await store.accept(order, now);
  let record = { ...order, status: "pending", created_at: new Date(now) };
  if (!created) record = await store.order(order.id);
  if (record.status === "pending") {
    const { id, amount, items, priority } = order;
    await queue.add("order", { id, amount, items: items.length, priority }, { jobId: id, removeOnComplete: true });
  }
  if (!created) return answer(res, 200, record, { "Idempotency-Replayed": "true" });
  return answer(res, 201, record, { Location: `/orders/${order.id}` });
}

async function list(url, res) {
  const after = Number(url.searchParams.get("cursor") ?? 0);
  const orders = await store.list(url.searchParams.get("status"), after, pageOrders);
  answer(res, 200, { orders, next_cursor: orders.length === pageOrders ? String(after + pageOrders) : undefined });
}

async function get(id, res) {
  const record = await store.order(id);
  if (record === undefined) return answer(res, 404, { detail: "no such order" });
  return answer(res, 200, record);
}

async function route(req, res) {
  if (req.method === "POST" && req.url === "/orders") return submit(req, res);
  const url = new URL(req.url, "http://localhost");
  if (url.pathname === "/orders") return list(url, res);
  if (url.pathname === "/stats") return answer(res, 200, { by_status: await store.counts() });
  if (url.pathname === "/readyz") return answer(res, 200, {});
  return get(decodeURIComponent(url.pathname.slice("/orders/".length)), res);
}

const server = createServer((req, res) => {
  route(req, res).catch((error) => answer(res, 500, { detail: String(error) }));
});
await queue.waitUntilReady();
server.listen(0, "127.0.0.1", () => {
  const addr = `127.0.0.1:${server.address().port}`;
  console.log(JSON.stringify({ msg: "API is listening", addr, admin_addr: addr }));
});
