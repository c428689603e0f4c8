// The changes of orders as they happen, from GET /events.

import { here } from "./client.js";

/** shortest and longest bound the wait before a stream that was refused is asked for again, in ms. */
const shortest = 2000;
const longest = 15_000;
/** patience is how long a hidden page keeps its stream, in ms: browsers allow few connections to a server. */
const patience = 10_000;

/**
 * Stream is at most one connection to the events. What it is opened with gets
 *   fresh()      events may have been missed: load everything anew
 *   order(event) an order has changed
 *   state(word)  "open", or "waiting" while there is no connection
 * A connection that only breaks is mended by the browser, which misses nothing.
 */
export class Stream {
	constructor() {
		document.addEventListener("visibilitychange", () => this.look());
	}

	/** open begins a stream of the events that match, in place of the one before. */
	open(query, handlers) {
		this.close();
		this.query = query;
		this.handlers = handlers;
		this.refused = 0;
		this.connect();
	}

	/** close ends the stream. */
	close() {
		clearTimeout(this.timer);
		this.source?.close();
		this.source = this.handlers = null;
	}

	connect() {
		const { handlers } = this;
		const source = new EventSource(here(`/events${this.query}`));
		this.source = source;
		let opened = false;
		source.onopen = () => {
			handlers.state("open");
			this.refused = 0;
			if (!opened) handlers.fresh();
			opened = true;
		};
		source.onerror = () => {
			handlers.state("waiting");
			if (source.readyState === EventSource.CLOSED) this.again();
		};
		source.addEventListener("gap", () => handlers.fresh());
		source.addEventListener("order", (message) => handlers.order(JSON.parse(message.data)));
	}

	/** again connects anew after a while, and has everything loaded meanwhile. */
	again() {
		this.handlers.fresh();
		const wait = Math.min(longest, shortest * 2 ** this.refused++);
		clearTimeout(this.timer);
		this.timer = setTimeout(() => this.connect(), wait);
	}

	/** look ends the stream of a page that stays hidden, and begins a new one when it is back. */
	look() {
		if (!this.handlers) return;
		clearTimeout(this.timer);
		if (document.hidden) {
			this.timer = setTimeout(() => { this.source?.close(); this.source = null; }, patience);
		} else if (!this.source || this.source.readyState === EventSource.CLOSED) {
			this.connect();
		}
	}
}
