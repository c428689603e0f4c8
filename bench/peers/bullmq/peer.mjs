// Works orders by BullMQ for the program that started it: reads one JSON command
// per line from the standard input and answers each with one JSON line. The only
// argument is the address of Redis. It ends with its input.
import { createInterface } from "node:readline";
import { Queue, Worker } from "bullmq";
import { decide } from "./rules.mjs";

// A worker's connection waits for Redis for ever, as BullMQ demands.
const [host, port] = process.argv[2].split(":");
const connection = { host, port: Number(port), maxRetriesPerRequest: null };
const queueName = "orders";
const stallLimitMs = 30_000;
const pickupPauseMs = { min: 20, max: 60 };

const queue = new Queue(queueName, { connection });
let loaded = [];

const decideOrder = (order) => decide({ ...order, items: order.items.length });

// startWorker keeps no finished jobs, as the other peers on Redis do.
function startWorker(slots, work) {
  const worker = new Worker(queueName, async (job) => work(job.data), {
    connection, concurrency: slots, removeOnComplete: { count: 0 },
  });
  worker.on("error", () => {}); // it tries again by itself
  return worker;
}

async function enqueue({ callers }) {
  let next = 0;
  const call = async () => {
    while (next < loaded.length) await queue.add("order", loaded[next++]);
  };
  await Promise.all(Array.from({ length: callers }, call));
  loaded = [];
  return {};
}

// drain answers the time from the first order to the last, and their ids.
async function drain({ orders, slots }) {
  const ids = [];
  let first, last, finish;
  const finished = new Promise((resolve) => { finish = resolve; });
  const worker = startWorker(slots, (order) => {
    first ??= process.hrtime.bigint();
    decideOrder(order);
    ids.push(order.id ?? "");
    last = process.hrtime.bigint();
    if (ids.length === orders) finish();
  });
  const stalled = watch(() => ids.length);
  await Promise.race([finished, stalled.promise]);
  stalled.stop();
  await worker.close();
  return { nanoseconds: Number(last - first), ids };
}

// watch fails when the count stands still for too long.
function watch(count) {
  let timer;
  let seen = -1;
  const promise = new Promise((_, reject) => {
    timer = setInterval(() => {
      if (count() === seen) reject(new Error(`only ${seen} orders were worked`));
      seen = count();
    }, stallLimitMs);
  });
  return { promise, stop: () => clearInterval(timer) };
}

async function pickup({ tries, slots, order }) {
  const waits = [];
  let begin;
  const worker = startWorker(slots, (found) => {
    begin(process.hrtime.bigint());
    decideOrder(found);
  });
  await worker.waitUntilReady();
  const stalled = watch(() => waits.length);
  while (waits.length < tries) {
    const pause = pickupPauseMs.min + Math.random() * (pickupPauseMs.max - pickupPauseMs.min);
    await new Promise((resolve) => setTimeout(resolve, pause));
    const begun = new Promise((resolve) => { begin = resolve; });
    await queue.add("order", order);
    const returned = process.hrtime.bigint();
    const at = await Promise.race([begun, stalled.promise]);
    waits.push(Math.max(0, Number(at - returned)));
  }
  stalled.stop();
  await worker.close();
  return { waits };
}

const commands = {
  load: async ({ orders }) => { loaded.push(...orders); return {}; },
  enqueue, drain, pickup,
  ready: async () => { await queue.waitUntilReady(); return {}; },
};

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    const command = JSON.parse(line);
    answer = await commands[command.do](command);
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
process.exit(0);
