// The figures of GET /stats and GET /health, polled while the page is visible.

import { get } from "./client.js";
import { pastOf } from "./history.js";

/** interval is the time between two polls, in ms; it grows up to slowest while they fail. */
const interval = 2000;
const slowest = 8000;
/** kept is how long samples are kept, in ms: the width of the charts. */
export const kept = 5 * 60_000;
/** over is the time over which acceptance is measured, and enough the least, in ms. */
const over = 10_000;
const enough = 4000;
/** clockError is by how much the clocks of browser and server may differ before it shows, in ms. */
const clockError = 5000;
/** unsure is the share of that time by which it may be wrong. */
const unsure = 0.1;

/**
 * Figures has the newest figures, the samples of the last five minutes, and the last
 * error. It polls nothing while the page is hidden.
 */
export class Figures {
	constructor() {
		this.stats = null;
		this.health = null;
		this.at = null; // when the newest figures came
		this.trouble = null; // the Refusal of the last poll, if it failed
		this.failures = 0;
		this.samples = [];
		this.listeners = new Set();
	}

	/** start begins to poll; it is called once. */
	start() {
		document.addEventListener("visibilitychange", () => this.soon());
		window.addEventListener("online", () => this.soon());
		this.soon();
	}

	/** listen calls back now, and after every poll until the signal ends. */
	listen(callback, signal) {
		this.listeners.add(callback);
		signal?.addEventListener("abort", () => this.listeners.delete(callback), { once: true });
		callback(this);
	}

	/** soon polls at once. */
	soon() {
		clearTimeout(this.timer);
		if (!document.hidden && !this.busy) this.poll();
	}

	async poll() {
		this.busy = true;
		try {
			await this.read();
		} finally {
			this.busy = false;
		}
		for (const callback of this.listeners) callback(this);
		this.timer = setTimeout(() => this.soon(), this.pause());
	}

	/** pause is how long to wait for the next poll, in ms. */
	pause() {
		const wait = Math.min(slowest, interval * 2 ** Math.min(this.failures, 4));
		return this.failures ? Math.max(wait, 1000 * Math.min(60, this.trouble.retryAfter)) : interval;
	}

	async read() {
		let came;
		const asked = clocks();
		const counted = get("/stats").finally(() => { came = clocks(); });
		const [health, stats] = await Promise.allSettled([get("/health", { accept: [503] }), counted]);
		this.health = health.status === "fulfilled" ? health.value : null;
		if (stats.status === "rejected") {
			this.trouble = stats.reason;
			this.failures++;
			return;
		}
		this.stats = stats.value;
		this.at = new Date();
		this.trouble = null;
		this.failures = 0;
		this.sample({ asked, came });
		if (!this.begun) this.begin();
	}

	/** begin puts what the server knows of the time before the page was opened in front of the samples. */
	async begin() {
		this.begun = true;
		const first = this.samples[0].at, ahead = this.health ? first - 1000 * this.health.timestamp : 0;
		const shift = Math.abs(ahead) > clockError ? ahead : 0;
		try {
			const { samples } = await pastOf("1h");
			const before = samples.map((sample) => ({ ...sample, at: sample.at + shift }));
			this.samples.unshift(...before.filter(({ at }) => at > first - kept && at < first));
		} catch { // the charts begin when the page is opened
		}
	}

	sample(reading) {
		const { stats, samples } = this;
		const now = this.at.getTime();
		const queues = Object.entries(stats.queues).map(([name, queue]) => [name, queue.pending]);
		samples.push({ at: now, ...reading, total: stats.ledger.accepted, completed: stats.completed_per_second, failed: stats.failed_per_second, ...Object.fromEntries(queues) });
		while (samples[0].at < now - kept || samples[0].at > now) samples.shift();
		samples.at(-1).accepted = acceptance(samples);
	}
}

/** clocks is the time in ms by a clock that can be set, and by one that may stop while a computer sleeps. */
const clocks = () => [Date.now(), performance.now()];

const elapsed = (from, to) => Math.max(to[0] - from[0], to[1] - from[1], 0);

/**
 * acceptance is how many orders were accepted a second until the newest sample, or null
 * if unknown. A counter was read between request and answer, so it is compared with a
 * sample that is old enough for this not to matter. A counter that fell is of another
 * ledger.
 */
export function acceptance(samples) {
	const newest = samples.at(-1);
	let rate = null;
	for (let i = samples.length - 2; i >= 0 && samples[i].total <= samples[i + 1].total; i--) {
		const before = samples[i];
		const longest = elapsed(before.asked, newest.came), shortest = elapsed(before.came, newest.asked);
		if (shortest < enough || longest - shortest > 2 * unsure * shortest) continue;
		rate = 2000 * (newest.total - before.total) / (longest + shortest);
		if (shortest >= over) break;
	}
	return rate;
}
