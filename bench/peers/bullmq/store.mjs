// The records of the service on BullMQ: a hash for each order, and for each status a
// sorted set of ids by time, whose size counts it.
import { Redis } from "ioredis";

export const queueName = "orders";
export const statuses = ["pending", "completed", "rejected"];

const recordKey = (id) => `order:${id}`;
const statusKey = (status) => `orders:${status}`;

// connect returns a connection that never gives up, as BullMQ demands. Calls of one turn
// of the event loop travel together.
export function connect(address) {
  const [host, port] = address.split(":");
  return new Redis({ host, port: Number(port), maxRetriesPerRequest: null, enableAutoPipelining: true });
}

export class Store {
  constructor(redis) {
    this.redis = redis;
    // Records an order once: 1, or 0 if the order was there.
    redis.defineCommand("accept", { numberOfKeys: 2, lua: `
      if redis.call("HSETNX", KEYS[1], "order", ARGV[2]) == 0 then return 0 end
      redis.call("HSET", KEYS[1], "status", "pending", "created", ARGV[3])
      redis.call("ZADD", KEYS[2], ARGV[3], ARGV[1])
      return 1` });
    // Gives a pending order its outcome, once.
    redis.defineCommand("settle", { numberOfKeys: 3, lua: `
      local now = redis.call("HMGET", KEYS[1], "status", "created")
      if now[1] ~= "pending" then return 0 end
      redis.call("HSET", KEYS[1], "status", ARGV[2], "handling", ARGV[3], "error", ARGV[4], "processed", ARGV[5])
      redis.call("ZREM", KEYS[2], ARGV[1])
      redis.call("ZADD", KEYS[3], now[2], ARGV[1])
      return 1` });
  }

  async accept(order, now) {
    const created = await this.redis.accept(recordKey(order.id), statusKey("pending"), order.id, JSON.stringify(order), now);
    return created === 1;
  }

  async settle(id, { status, handling = "", error = "" }) {
    await this.redis.settle(recordKey(id), statusKey("pending"), statusKey(status), id, status, handling, error, Date.now());
  }

  // order returns a record, or nothing.
  async order(id) {
    const fields = await this.redis.hgetall(recordKey(id));
    if (fields.order === undefined) return undefined;
    const { status, handling, error, created, processed } = fields;
    return {
      ...JSON.parse(fields.order), status, handling, error, created_at: new Date(Number(created)),
      processed_at: processed && new Date(Number(processed)),
    };
  }

  // list returns a page of the orders of a status, newest first, after so many.
  async list(status, after, size) {
    const ids = await this.redis.zrevrange(statusKey(status), after, after + size - 1);
    return Promise.all(ids.map((id) => this.order(id)));
  }

  async counts() {
    const sizes = await Promise.all(statuses.map((status) => this.redis.zcard(statusKey(status))));
    return Object.fromEntries(statuses.map((status, n) => [status, sizes[n]]));
  }
}
