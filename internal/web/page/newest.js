// The newest orders, updated by their events.

import { get } from "./client.js";
import { find, make, mark, orderLink, pill, say, setPill, show } from "./dom.js";
import { age, amount, count, duration } from "./format.js";

/** held is how many orders are kept, shown how many of them have a row. */
const held = 200;
const shown = 50;
/** calm is the least time between two drawings, in ms, so that rows can be read at thousands of orders a second. */
const calm = 200;
/** reload is the least time between two loads without an event, in ms; five times that after a failure. */
const reload = 800;
/** busy is how many new orders a second are too many to load. */
const busy = 50;

/**
 * OrderList is the table of the newest orders, filled from the list and updated by
 * events: the status comes from the newest event, everything else from the list.
 */
export class OrderList {
	constructor(table, { note, empty, signal }) {
		Object.assign(this, { note, empty, signal, body: find("tbody", table) });
		this.orders = new Map(); // by id
		this.newest = []; // ids, newest first
		this.rows = new Map(); // by id
		this.word = this.fault = "";
		this.came = this.loadedAt = 0;
		this.again = this.loading = this.stale = this.crowded = false;
		this.skeleton();
		this.holdRows(table);
		const tick = setInterval(() => this.tick(), 1000);
		signal.addEventListener("abort", () => { clearInterval(tick); cancelAnimationFrame(this.frame); }, { once: true });
	}

	skeleton() {
		const line = () => make("tr", { class: "skeleton", "aria-hidden": "true" }, make("td", { colspan: "6" }, make("span")));
		this.body.replaceChildren(line(), line(), line());
	}

	/** holdRows keeps the rows in place while they have the pointer or the focus. */
	holdRows(table) {
		table.addEventListener("pointerenter", (event) => { this.pointed = event.pointerType === "mouse"; });
		table.addEventListener("pointerleave", () => { this.pointed = false; this.draw(); });
		table.addEventListener("focusout", () => this.draw());
	}

	/** fresh loads the list again, because events may be missing. */
	async fresh() {
		this.stale = true;
		for (const order of this.orders.values()) order.sequence = 0;
		await this.load();
	}

	/** state shows whether events arrive. */
	state(word) {
		this.word = word === "open" ? "live" : "reconnecting";
		this.draw();
	}

	/** load loads the list. Loads do not overlap: a further one waits. */
	async load() {
		this.again = this.loading;
		if (this.loading) return;
		this.loading = true;
		const { stale } = this;
		this.stale = false;
		try {
			const { orders } = await get(`/orders?limit=${shown}`, { signal: this.signal });
			this.loaded = true;
			this.fault = "";
			if (stale) this.drop(new Set(orders.map((record) => record.id)));
			for (const record of orders.toReversed()) this.fill(record);
		} catch { // the state of the page has the reason
			this.stale ||= stale;
			this.fault = "The list cannot be read. It is loaded again soon.";
		} finally {
			this.loading = false;
			this.loadedAt = Date.now();
			this.came = 0;
		}
		this.draw();
		if (this.again && !this.signal.aborted) await this.load();
	}

	/** drop removes orders that neither the list nor a later event has: they may be gone. */
	drop(listed) {
		for (const { id, sequence } of this.orders.values()) {
			if (!sequence && !listed.has(id)) this.orders.delete(id);
		}
		this.newest = this.newest.filter((id) => this.orders.has(id));
	}

	fill(record) {
		const order = this.orders.get(record.id) ?? this.remember(record.id, true);
		order.queue = record.queue;
		order.amount = record.amount;
		order.currency = record.currency;
		order.created = instantOf(record.created_at);
		if (order.sequence) return;
		order.status = record.status;
		order.attempt = record.attempts.at(-1)?.number;
		order.settled = record.processed_at && instantOf(record.processed_at);
	}

	/** sort sorts as the list does: newest first, then by id, and those of unknown age last. */
	sort() {
		const created = (id) => this.orders.get(id).created ?? 0;
		this.newest.sort((a, b) => created(b) - created(a) || (a < b ? 1 : -1));
	}

	/** update applies an event. */
	update(event) {
		const order = this.orders.get(event.order_id) ?? this.remember(event.order_id, event.sequence === 1);
		if (event.sequence < order.sequence && event.sequence > 1) return;
		const at = instantOf(event.time);
		order.sequence = event.sequence;
		order.status = event.status;
		order.attempt = event.attempt ?? order.attempt;
		if (event.sequence === 1) order.created = at;
		order.settled = isSettled(event.status) ? at : undefined;
		this.draw();
	}

	/** remember adds an order as the newest or the oldest, and removes the oldest of too many. */
	remember(id, isNew) {
		const order = { id, status: "pending", sequence: 0 };
		this.orders.set(id, order);
		if (isNew) this.newest.unshift(id);
		else this.newest.push(id);
		if (isNew) this.came++;
		if (this.newest.length > held) this.orders.delete(this.newest.pop());
		return order;
	}

	/** draw draws soon, however often it is called. */
	draw() {
		this.frame ??= requestAnimationFrame(() => this.wait());
	}

	wait() {
		this.frame = undefined;
		if (performance.now() - (this.drawn ?? -calm) < calm) return this.draw();
		this.drawn = performance.now();
		this.render();
	}

	render() {
		if (!this.loaded && !this.newest.length) return say(this.note, this.fault);
		this.sort();
		const still = this.pointed || this.body.contains(document.activeElement);
		if (!still) this.arrange(this.newest.slice(0, shown));
		for (const [id, row] of this.rows) row.show(this.orders.get(id));
		show(this.empty, !this.newest.length);
		say(this.note, this.remark(still));
	}

	remark(still) {
		const newer = still ? this.newest.findIndex((id) => this.rows.has(id)) : 0;
		if (this.fault) return this.fault;
		if (newer > 0) return `paused while in use · ${count(newer)} newer`;
		return this.crowded && this.word === "live" ? "live · amounts appear when there are fewer orders" : this.word;
	}

	/** arrange puts the rows in order and moves no others. */
	arrange(ids) {
		const wanted = new Set(ids);
		for (const [id, row] of this.rows) {
			if (wanted.has(id)) continue;
			row.element.remove();
			this.rows.delete(id);
		}
		for (const line of this.body.querySelectorAll(".skeleton")) line.remove();
		ids.forEach((id, i) => {
			if (!this.rows.has(id)) this.rows.set(id, new Row(id));
			const { element } = this.rows.get(id);
			if (this.body.children[i] !== element) this.body.insertBefore(element, this.body.children[i] ?? null);
		});
	}

	/** tick updates the ages, and loads what is missing when there are few new orders. */
	tick() {
		if (document.hidden) return;
		for (const [id, row] of this.rows) row.age(this.orders.get(id));
		const missing = this.newest.slice(0, shown).some((id) => this.orders.get(id).amount === undefined);
		if (!missing) this.crowded = false;
		if (this.fault && Date.now() - this.loadedAt > 5 * reload) this.load();
		if (!missing || Date.now() - this.loadedAt < reload) return;
		this.crowded = this.came > busy;
		if (this.crowded) this.came = 0;
		else this.load();
	}
}

class Row {
	constructor(id) {
		this.pill = pill("pending");
		const cell = (name) => make("td", { role: "cell", "data-cell": name, class: name === "queue" ? undefined : "number" });
		this.cells = Object.fromEntries(["queue", "amount", "attempt", "age"].map((name) => [name, cell(name)]));
		// The roles stay when a narrow page lays a row out in two lines.
		this.element = make("tr", { role: "row", "data-order": id }, make("td", { role: "cell" }, orderLink(id)), make("td", { role: "cell" }, this.pill), ...Object.values(this.cells));
	}

	show(order) {
		if (!order) return;
		setPill(this.pill, order.status);
		say(this.cells.queue, order.queue ?? "–");
		say(this.cells.amount, order.amount === undefined ? "–" : amount(order.amount, order.currency));
		say(this.cells.attempt, order.attempt ? String(order.attempt) : "–");
		this.age(order);
	}

	age(order) {
		if (!order) return;
		mark(this.cells.age, "data-running", String(!order.settled));
		if (!order.created) return say(this.cells.age, "–");
		say(this.cells.age, order.settled ? duration(order.settled - order.created) : age(Date.now() - order.created));
	}
}

/** instantOf reads a time in ms, with the microseconds that Date drops. */
const instantOf = (text) => Date.parse(text) + Number(/\.\d{3}(\d{1,3})/.exec(text)?.[1].padEnd(3, "0") ?? 0) / 1000;

/** isSettled reports whether a status is an outcome. */
export const isSettled = (status) => ["completed", "rejected", "failed", "cancelled"].includes(status);
