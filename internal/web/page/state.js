// The state in words: what is wrong, and what to do.

import { count, duration, many, rate, share } from "./format.js";

/** lateAge is the age from which the oldest waiting order is late, in seconds. */
const lateAge = 60;

const room = "Raise maxmemory, or keep settled orders for a shorter time.";

const advice = {
	"Redis is nearly full: all new orders are refused": ["Redis is nearly full", `New orders are refused. ${room}`],
	"Redis is unavailable": ["Redis is unavailable", "Nothing is accepted; clients get 503 and may send again. Start Redis: API and workers recover within seconds."],
	"no worker is alive": ["No worker is alive", "Orders are accepted and wait until the queues are full. Start workers, and see their log for why they ended."],
	"the queues are full": ["Queues are full", "New orders are refused with 503. Check whether a queue is paused (resume it), all slots are busy (start workers) or attempts take long (the shop is slow)."],
};

/**
 * stateOf returns level ("good", "warn", "bad" or "unknown"), words and detail of the
 * state.
 */
export function stateOf({ stats, health, trouble }) {
	const reason = health?.reason;
	if (reason && advice[reason]) return state("bad", ...advice[reason]);
	if (reason) return state("bad", `${reason[0].toUpperCase()}${reason.slice(1)}`, "Orders are not accepted or not processed.");
	if (trouble) return troubled(trouble);
	if (!stats) return state("unknown", "Loading …", "");
	return worry(stats) ?? state("good", "All is well", flow(stats));
}

const state = (level, words, detail) => ({ level, words, detail });

function troubled(trouble) {
	if (trouble.status === 0) return state("bad", "Reconnecting …", "The API does not answer. It is unknown whether orders are processed.");
	if (trouble.status === 401 || trouble.status === 403) return state("bad", "Access denied", `${trouble.message} This page needs the scope read.`);
	if (trouble.status === 429) return state("warn", "Too many requests", trouble.message);
	return state("bad", "The figures cannot be read", trouble.message);
}

function worry(stats) {
	const queues = Object.entries(stats.queues);
	const paused = queues.filter(([, queue]) => queue.paused).map(([name]) => name);
	const late = queues.filter(([, queue]) => queue.oldest_pending_seconds > lateAge).sort((a, b) => b[1].oldest_pending_seconds - a[1].oldest_pending_seconds)[0];
	const used = stats.redis?.memory_limit_bytes ? stats.redis.memory_used_bytes / stats.redis.memory_limit_bytes : 0;
	if (stats.ledger.drift !== 0) return state("bad", "The books do not balance", `The drift is ${count(stats.ledger.drift)}: another program changed keys, or Redis lost some. Keep the log and a copy of the data. New orders are still processed.`);
	if (used > crowded(stats)) return state("warn", "Redis is short of memory", `${share(used, 1)} of its limit is used. New orders are refused: ${limits(queues)}. ${room}`);
	if (paused.length) return state("warn", `${paused.length > 1 ? "Queues are" : "A queue is"} paused: ${paused.join(", ")}`, "Orders are accepted and wait there until somebody resumes it.");
	if (late) return state("warn", "Orders wait long", `The oldest in ${late[0]} has waited for ${duration(1000 * late[1].oldest_pending_seconds)}. Start workers, or find out why attempts take long.`);
	return null;
}

/** crowded is the share of Redis's memory above which the first orders are refused. */
export const crowded = (stats) => Math.min(...Object.values(stats.queues).map((queue) => queue.memory_percent)) / 100;

const limits = (queues) => queues.map(([name, queue]) => `${name} above ${queue.memory_percent} %`).join(", ");

function flow(stats) {
	const busy = inWork(stats);
	if (!stats.queue_length && !busy) return `No order waits.${stats.active_workers ? ` ${many(stats.active_workers, "slot")} ready for orders.` : ""}`;
	return `${many(stats.throughput_per_second, "order", "orders", rate)} settled a second, ${count(stats.queue_length)} waiting, ${count(busy)} in work.`;
}

const running = ["processing", "priority_processing", "expedited"];

/**
 * inWork is how many orders are being processed, at most one for each slot: workers
 * prefetch orders, and those of a killed worker count until they are found.
 */
export function inWork(stats) {
	const { by_status: statuses, active_workers: slots } = stats;
	const active = sum(stats, "active");
	return statuses ? Math.min(active, slots ?? active, running.reduce((total, status) => total + statuses[status], 0)) : active;
}

/** sum adds up one count of all queues. */
export const sum = (stats, name) => Object.values(stats.queues).reduce((total, queue) => total + queue[name], 0);

/** staleness is why the figures are old, or empty while they are fresh. */
export function staleness({ at, trouble }) {
	if (!trouble) return "";
	return trouble.status === 0 ? "Not connected." : at ? "No new figures." : "No figures yet.";
}
