// The worker of an order service as one would build it on BullMQ. The only argument is
// the address of Redis.
import { Worker } from "bullmq";
import { connect, queueName, Store } from "./store.mjs";
import { decide } from "./rules.mjs";

const slots = 64;
const store = new Store(connect(process.argv[2]));

const worker = new Worker(queueName, async ({ data }) => store.settle(data.id, decide(data)), {
  connection: connect(process.argv[2]), concurrency: slots,
});
worker.on("error", (error) => console.error(String(error))); // it tries again by itself
