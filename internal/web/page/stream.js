// The events of orders as they happen, from GET /events.

import { here } from "./client.js";

/** shortest and longest bound the wait before a refused stream is requested again, in ms. */
const shortest = 2000;
const longest = 15_000;
/** linger is how long a hidden page keeps its stream, in ms: browsers allow few connections to a server. */
const linger = 10_000;

/**
 * Stream is at most one connection to the events. Its handlers are
 *   fresh()      events may be missing: load everything again
 *   order(event) an event of an order
 *   state(word)  "open", or "waiting" while there is no connection
 * A browser reconnects after a broken connection, and misses nothing.
 */
export class Stream {
	constructor() {
		document.addEventListener("visibilitychange", () => this.toggle());
	}

	/** open replaces the stream by one of the events that match. */
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

	/** again connects after a while, and has everything loaded meanwhile. */
	again() {
		this.handlers.fresh();
		const wait = Math.min(longest, shortest * 2 ** this.refused++);
		clearTimeout(this.timer);
		this.timer = setTimeout(() => this.connect(), wait);
	}

	/** toggle ends the stream of a page that stays hidden, and opens one when it is visible. */
	toggle() {
		if (!this.handlers) return;
		clearTimeout(this.timer);
		if (document.hidden) {
			this.timer = setTimeout(() => { this.source?.close(); this.source = null; }, linger);
		} else if (!this.source || this.source.readyState === EventSource.CLOSED) {
			this.connect();
		}
	}
}
