// The held orders, and their release or rejection, by keyboard as well.

import { visit } from "./address.js";
import { get, orderPath } from "./client.js";
import { decisionCard, readDecision, tagList } from "./decision.js";
import { clear, find, make, mark, notify, orderLink, say, show, when } from "./dom.js";
import { amount, count, many } from "./format.js";
import { askEnd, decider, end, endButtons, endWords } from "./hold.js";
import { useKeys } from "./keys.js";
import { facts, verdictCard } from "./order.js";

/** shown is how many orders have a row. */
const shown = 300;
/** page is how many orders one request lists, and pages how many requests find the oldest ones: the API lists the newest first. */
const page = 200;
const pages = 10;
/** low is the number of rows at which older orders are looked for, if there are some. */
const low = 50;
/** pause is the least time between two loads because of new orders, in ms; three times that after a failure. */
const pause = 1000;
/** rest is how long an order is selected before its decision is read, in ms. */
const rest = 150;

/** left are the statuses of orders that leave the list. */
const left = ["pending", "rejected", "cancelled"];

const help = [["j or ↓", "the next order"], ["k or ↑", "the one before"], ["Enter", "open it"], ["r", "release it"], ["x", "reject it"]];

/** review shows the view until the signal ends. */
export function review(root, { figures, stream, signal }) {
	const view = new Review(root, { figures, signal });
	useKeys(view.keys(), help, signal);
	signal.addEventListener("abort", () => { clearTimeout(view.timer); clearTimeout(view.resting); }, { once: true });
	stream.open(`?status=held,${left}`, { fresh: () => view.load(), order: (event) => view.update(event), state: () => {} });
	figures.listen(() => view.remark(), signal);
	view.load();
}

class Review {
	constructor(root, { figures, signal }) {
		Object.assign(this, { root, figures, signal, list: find("#held", root), detail: find("#held-detail", root) });
		Object.assign(this, { fault: find("#review-fault", root), result: find("#review-result", root) });
		this.orders = []; // oldest first
		this.rows = new Map(); // by id
		this.gone = new Set(); // ids that left while the list was loaded
		this.selected = null; // an id
		this.more = false; // whether there are orders that have no row
		this.list.addEventListener("click", (event) => {
			const row = event.target.closest("[role=option]");
			if (row) this.select(row.dataset.order, true);
		});
	}

	/** load loads the list. Loads do not overlap: a further one waits. */
	async load() {
		this.again = this.loading;
		if (this.loading) return;
		this.loading = true;
		this.gone.clear();
		try {
			await this.read();
			clear(this.fault);
		} catch (refusal) {
			if (this.signal.aborted) return;
			notify(this.fault, "bad", `The list cannot be read. ${refusal.message} It is loaded again soon.`);
			this.soon(3 * pause);
		} finally {
			this.loading = false;
		}
		if (this.again && !this.signal.aborted) await this.load();
	}

	/** read finds the oldest held orders. */
	async read() {
		let cursor, found = [], skipped = false;
		for (let i = 0; i < pages && (i === 0 || cursor); i++) {
			const answer = await get(`/orders?status=held&limit=${page}${cursor ? `&cursor=${cursor}` : ""}`, { signal: this.signal });
			skipped ||= found.length + answer.orders.length > shown;
			found = [...found, ...answer.orders].slice(-shown);
			cursor = answer.next_cursor;
		}
		this.more = skipped || Boolean(cursor);
		this.unknown = Boolean(cursor);
		this.orders = found.toReversed().filter(({ id }) => !this.gone.has(id));
		this.loaded = true;
		this.render();
	}

	/** soon loads the list once for all events that come together. */
	soon(wait = pause) {
		this.timer ??= setTimeout(() => { this.timer = undefined; this.load(); }, wait);
	}

	/** update applies an event: an order came, or somebody decided about one. */
	update({ order_id: id, status, actor }) {
		if (status === "held") {
			this.gone.delete(id);
			if (!this.more) this.soon();
			return;
		}
		this.gone.add(id);
		if (!this.rows.has(id) || id === this.busy) return;
		if (id === this.selected) notify(this.result, "good", orderLink(id), ` left the list: it is ${became(status, actor)}.`);
		this.drop(id);
	}

	/** drop removes an order, and selects the one after it. */
	drop(id) {
		const at = this.orders.findIndex((order) => order.id === id);
		if (at < 0) return;
		this.orders.splice(at, 1);
		this.render(at);
		if (this.more && this.orders.length < low) this.soon();
	}

	/** render shows the rows, and moves none that stays; the one at a place is selected if the selected one is gone. */
	render(at = 0) {
		const used = this.root.contains(document.activeElement) && this.list.contains(document.activeElement);
		const rows = new Map(this.orders.map((order) => [order.id, this.rowOf(order)]));
		for (const [id, row] of this.rows) if (rows.get(id) !== row) row.remove();
		this.rows = rows;
		[...rows.values()].forEach((row, i) => {
			if (this.list.children[i] !== row) this.list.insertBefore(row, this.list.children[i] ?? null);
		});
		show(find("#review", this.root), this.orders.length > 0);
		show(find("#review-empty", this.root), !this.orders.length);
		this.remark();
		this.select(rows.has(this.selected) ? this.selected : this.orders[Math.min(at, this.orders.length - 1)]?.id ?? null, used);
	}

	/** rowOf is the row of an order: the one it has, unless something about it has changed. */
	rowOf(order) {
		const text = JSON.stringify(order);
		const row = this.rows.get(order.id);
		return row?.content === text ? row : Object.assign(rowOf(order), { content: text });
	}

	/** remark says how many orders are held. */
	remark() {
		if (!this.loaded) return;
		const rows = this.orders.length, all = Math.max(this.figures.stats?.by_status.held ?? 0, rows);
		if (!this.more) return say(find("#review-note", this.root), rows ? `${many(rows, "order")}, oldest first` : "");
		say(find("#review-note", this.root), `the oldest ${count(rows)} of ${this.unknown ? `the newest ${count(page * pages)} of ` : ""}${count(all)}`);
	}

	/** select selects an order, and moves the focus to its row if wanted. */
	select(id, focus = false) {
		const row = this.rows.get(id);
		for (const other of this.rows.values()) {
			mark(other, "aria-selected", String(other === row));
			mark(other, "tabindex", other === row ? "0" : "-1");
		}
		if (focus) (row ?? find("h1", this.root)).focus();
		if (id === this.selected && row?.content === this.content) return;
		this.selected = id;
		this.content = row?.content;
		this.open(this.orders.find((order) => order.id === id));
	}

	/** open shows the content of an order, and what the rules decided once it is selected for a while. */
	open(order) {
		clearTimeout(this.resting);
		if (!order) return this.detail.replaceChildren();
		const card = verdictCard(order, [], endButtons((step) => this.act(step), true));
		const since = make("p", { class: "note" }, "Held since ", when(order.hold.since), ".");
		find(".words", card).before(make("h2", {}, orderLink(order.id)));
		find(".words", card).after(since);
		this.detail.replaceChildren(card, facts(order));
		this.resting = setTimeout(() => this.explain(order, since), rest);
	}

	async explain(order, since) {
		try {
			const { events } = await get(orderPath(order.id, "/events"), { signal: this.signal });
			const decision = await readDecision(order.id, events, this.signal);
			if (!since.isConnected) return; // another order is selected
			if (decision) this.detail.append(decisionCard(decision, order));
		} catch (refusal) {
			if (!this.signal.aborted && since.isConnected) say(since, `What the rules decided cannot be read. ${refusal.message}`);
		}
	}

	/** keys are what its keys do. */
	keys() {
		const scrolls = (at) => this.detail.contains(at);
		const then = (act) => (at) => (this.selected ? act(at) : false);
		return {
			j: then(() => this.move(1)), k: then(() => this.move(-1)),
			ArrowDown: then((at) => !scrolls(at) && this.move(1)), ArrowUp: then((at) => !scrolls(at) && this.move(-1)),
			r: then(() => { this.act("release"); }), x: then(() => { this.act("reject"); }),
			Enter: then((at) => !at.closest("a, button") && visit(find("a", this.detail).hash)),
		};
	}

	/** move selects another order: the first press, from elsewhere, only moves the focus to the list. */
	move(by) {
		const at = this.orders.findIndex(({ id }) => id === this.selected);
		const to = this.list.contains(document.activeElement) ? Math.min(Math.max(at + by, 0), this.orders.length - 1) : at;
		this.select(this.orders[to].id, true);
	}

	/** act releases or rejects the selected order. */
	async act(step) {
		const id = this.selected, { done, undone } = endWords(step);
		if (this.busy) return;
		const body = await askEnd(step, id);
		if (!body || this.signal.aborted) return;
		this.busy = id;
		clear(this.result);
		try {
			await end(step, id, body);
			notify(this.result, "good", orderLink(id), ` ${done}`);
			this.gone.add(id);
			this.drop(id);
			this.figures.soon();
		} catch (refusal) {
			if (refusal.status === 409) await this.overtaken(id, refusal);
			else if (!this.signal.aborted) notify(this.result, "bad", orderLink(id), ` ${undone} ${refusal.message}`);
		}
		this.busy = null;
		if (!this.signal.aborted) (this.rows.get(this.selected) ?? find("h1", this.root)).focus();
	}

	/** overtaken says what somebody else decided meanwhile. */
	async overtaken(id, refusal) {
		try {
			const order = await get(orderPath(id), { signal: this.signal });
			const { events } = await get(orderPath(id, "/events"), { signal: this.signal });
			if (order.status === "held") { // again
				this.soon();
				return notify(this.result, "bad", orderLink(id), ` was not changed. ${refusal.message}`);
			}
			const by = events.findLast(({ actor }) => actor);
			notify(this.result, "bad", "Somebody else was faster: ", orderLink(id), ` is ${became(by ? by.status : order.status, by?.actor)}.`);
			this.gone.add(id);
			this.drop(id);
		} catch (error) {
			if (!this.signal.aborted) notify(this.result, "bad", orderLink(id), ` was not changed. ${refusal.message} ${error.message}`);
		}
	}
}

/** became says what a held order is now, and who did it. */
function became(status, actor) {
	return [status === "pending" && actor ? "released" : status.replaceAll("_", " "), decider(actor)].filter(Boolean).join(" ");
}

function rowOf(order) {
	const { id, hold } = order;
	return make("li", { role: "option", "data-order": id },
		make("p", { class: "head" }, make("strong", { class: "id" }, id), make("strong", { class: "last" }, amount(order.amount, order.currency))),
		make("p", {}, hold.rule && make("span", {}, `${hold.rule}: `), hold.reason),
		make("p", { class: "note" }, order.customer, " · held ", when(hold.since, { brief: true }),
			hold.expires_at && make("span", {}, ` · ${hold.on_expiry === "release" ? "released" : "rejected"} `, when(hold.expires_at, { brief: true, due: true })),
			order.tags && make("span", {}, " ", tagList(order.tags))));
}
