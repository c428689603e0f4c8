// The orders that a filter finds, page by page, and what is done with many of them.

import { actionNames, act, actOnRows, fits } from "./act.js";
import { hashOf, visit } from "./address.js";
import { get, here } from "./client.js";
import { all, clear, find, make, mark, notify, orderLink, pill, say, show, visible, when } from "./dom.js";
import { Filters, filterOf, wordsOf } from "./filters.js";
import { amount, count, many } from "./format.js";
import { listHelp, listKeys, useKeys } from "./keys.js";
import { Pager } from "./pager.js";
import { Table } from "./table.js";

/** size is how many orders a page has. */
const size = 50;
/** look is how often newer orders are looked for, in ms; less often in the archive. */
const look = 5000;
const lookInArchive = 15_000;
/** calm is the least time between two drawings of events, in ms. */
const calm = 250;

const columns = [
	{ key: "status", name: "Status", by: ({ status }) => status, cell: ({ status }) => pill(status) },
	{ key: "id", name: "Order", by: ({ id }) => id, cell: ({ id }) => orderLink(id) },
	{ key: "customer", name: "Customer", by: ({ customer }) => customer, cell: ({ customer }) => make("span", { class: "clamp", title: customer }, customer) },
	{ key: "amount", name: "Amount", number: true, by: (order) => Number(order.amount), cell: (order) => amount(order.amount, order.currency) },
	{ key: "queue", name: "Queue", by: ({ queue }) => queue, cell: ({ queue }) => queue ?? "–" },
	{ key: "attempts", name: "Attempts", number: true, by: attemptsOf, cell: (order) => String(attemptsOf(order)) },
	{ key: "error", name: "Error", by: ({ error }) => error, cell: ({ error }) => error && make("span", { class: "clamp", title: error }, error) },
	{ key: "age", name: "Age", number: true, by: ({ created_at: at }) => -new Date(at), cell: ({ created_at: at }) => when(at, { brief: true }) },
];

function attemptsOf({ attempts }) { return attempts?.at(-1)?.number ?? 0; }

/** orders shows the view until the signal ends. */
export function orders(root, context) {
	const view = new Orders(root, context);
	useKeys(listKeys(root, "#found tbody tr"), listHelp(true), context.signal);
	return (query) => view.turn(query);
}

class Orders {
	constructor(root, { query, figures, stream, signal }) {
		Object.assign(this, { root, figures, signal, selected: new Set(), whole: false, news: new Map() });
		this.filters = new Filters(root, (filter) => this.go(filter, { sort: this.query.get("sort") }));
		const boxes = { has: (id) => this.whole || this.selected.has(id), one: (...how) => this.pick(...how), every: (ticked) => this.pickAll(ticked) };
		this.table = new Table(find("#found", root), {
			caption: "Orders", columns, keyOf: ({ id }) => id, boxes, sorted: (sort) => this.go(this.filter, { cursor: this.query.get("cursor"), sort }, history.state),
		});
		this.pager = new Pager(find("#orders-pages", root), "orders");
		for (const [action, name] of Object.entries(actionNames)) {
			const button = make("button", { type: "button", "data-act": action, disabled: true }, `${name} …`);
			button.addEventListener("click", () => this.act(action));
			find("#orders-acts", root).append(button);
		}
		find("#select-all", root).addEventListener("click", () => { this.whole = !this.whole; this.selected.clear(); this.toolbar(); });
		find("#newer", root).addEventListener("click", () => this.newest());
		stream.open("", { fresh: () => this.look(), order: (event) => this.update(event), state: () => {} });
		this.timer = setInterval(() => { if (!document.hidden && Date.now() - this.looked > (this.archived ? lookInArchive : look)) this.look(); }, 1000);
		signal.addEventListener("abort", () => { clearInterval(this.timer); clearTimeout(this.drawing); }, { once: true });
		this.turn(query);
	}

	/** go visits the address of a filter, and of what else there is. */
	go(filter, more = {}, state = null) { visit(hashOf("orders", [...filter, ...Object.entries(more)]), state); }

	/** turn shows what an address finds. */
	turn(query) {
		const same = this.query && this.path(query) === this.path(this.query);
		this.query = query;
		this.filter = filterOf(query);
		this.filters.show(this.filter);
		if (same) return this.found && this.draw();
		this.whole = false;
		this.selected.clear();
		show(find("#newer", this.root), false);
		return this.load();
	}

	path(query) {
		const cursor = query.get("cursor");
		return `/orders?${new URLSearchParams([...filterOf(query), ["limit", size], ...(cursor ? [["cursor", cursor]] : [])])}`;
	}

	/** load loads the page; a later load ends the one before. */
	async load() {
		this.loading?.abort();
		const loading = this.loading = new AbortController(), query = this.query;
		mark(find("#found", this.root), "aria-busy", "true");
		try {
			const answer = await get(this.path(query), { signal: AbortSignal.any([loading.signal, this.signal]) });
			this.take(answer, query);
		} catch (refusal) {
			if (loading.signal.aborted || this.signal.aborted) return;
			this.fail(refusal);
		}
		this.looked = Date.now();
		mark(find("#found", this.root), "aria-busy", "false");
	}

	take({ orders: found, next_cursor: cursor, as_of: asOf, incomplete }, query) {
		Object.assign(this, { found, asOf, incomplete, fault: "", archived: Boolean(asOf), cursor });
		this.news.clear();
		clear(find("#orders-fault", this.root));
		show(find("#needs-archive", this.root), false);
		show(find("#orders-list", this.root), true);
		this.pager.show(query, cursor);
		show(find("#newer", this.root), false);
		this.draw();
	}

	fail(refusal) {
		const needs = refusal.problem?.type?.endsWith("archive-required");
		this.found = [];
		this.draw();
		this.found = null;
		this.pager.show(this.query);
		show(find("#orders-none", this.root), false);
		show(find("#orders-list", this.root), false);
		show(find("#needs-archive", this.root), Boolean(needs));
		const words = this.filters.refuse(refusal);
		if (needs) clear(find("#orders-fault", this.root));
		else notify(find("#orders-fault", this.root), "bad", `The orders cannot be listed: ${words}`);
	}

	draw() {
		this.table.show(this.found, this.query.get("sort") ?? "");
		show(find("#orders-none", this.root), this.found.length === 0);
		show(find("#found", this.root), this.found.length > 0);
		this.toolbar();
	}

	/** look loads the page again: rows stay where they are, and newer ones are only counted. */
	async look() {
		this.looked = Date.now();
		if (!this.found || this.loading?.signal.aborted) return this.load();
		const query = this.query;
		this.news.clear(); // later events are newer than the answer
		try {
			const { orders: now, as_of: asOf, incomplete } = await get(this.path(query), { signal: this.signal });
			if (query !== this.query || !this.found) return undefined;
			Object.assign(this, { asOf, incomplete, fault: "" });
			const byID = new Map(now.map((order) => [order.id, order])), known = new Set(this.found.map(({ id }) => id));
			this.found = this.found.map((order) => told(byID.get(order.id) ?? order, this.news.get(order.id)));
			this.draw();
			if (!query.has("cursor")) this.announce(now, now.findIndex(({ id }) => known.has(id)));
		} catch (refusal) {
			if (this.signal.aborted || query !== this.query || !this.found) return undefined;
			this.fault = `The list cannot be read again. ${refusal.message}`; // in a place of its own, so that no row moves
			this.toolbar();
		}
		return undefined;
	}

	/** announce offers the orders that came since; an empty list shows them at once. */
	announce(now, newer) {
		if (!this.found.length && now.length) return this.load();
		const n = newer < 0 ? now.length : newer, button = find("#newer", this.root);
		if (n) say(button, newer < 0 ? `Show the ${count(n)} newest` : `Show ${many(n, "newer order")}`);
		return show(button, n > 0);
	}

	async newest() {
		await this.load();
		find("#found a", this.root)?.focus();
	}

	/** update shows what an event tells about a row. */
	update(event) {
		const i = this.found?.findIndex(({ id }) => id === event.order_id) ?? -1;
		if (i < 0) return;
		this.news.set(event.order_id, event);
		this.found[i] = told(this.found[i], event);
		this.drawing ??= setTimeout(() => {
			this.drawing = undefined;
			if (this.found) this.draw();
		}, calm);
	}

	pick(id, ticked, range) {
		const keys = this.table.keys(), to = keys.indexOf(id), from = range && keys.includes(this.picked) ? keys.indexOf(this.picked) : to;
		if (this.whole) this.pickAll(true);
		for (const key of keys.slice(Math.min(from, to), Math.max(from, to) + 1)) this.selected[ticked ? "add" : "delete"](key);
		this.picked = id;
		this.toolbar();
	}

	pickAll(ticked) {
		this.whole = false;
		this.selected = new Set(ticked ? this.table.keys() : []);
		this.toolbar();
	}

	/** toolbar says what is selected, and which actions there are for it. */
	toolbar() {
		this.table.tick();
		const rows = this.found.filter(({ id }) => this.selected.has(id)), here_ = this.found.length;
		const page = here_ ? `${many(here_, "order")}${this.cursor || this.query.has("cursor") ? " on this page" : ""}${this.query.get("sort") ? ", sorted within the page" : ", newest first"}` : "";
		say(find("#found-note", this.root), this.whole ? "All that match are selected" : rows.length ? `${count(rows.length)} selected` : page);
		const all_ = find("#select-all", this.root);
		say(all_, this.whole ? "Select none" : "Select all that match");
		all_.disabled = !here_;
		for (const button of all("[data-act]", this.root)) {
			const { act: action } = button.dataset, wanted = new URLSearchParams(this.filter).get("status");
			button.disabled = this.working || (this.whole ? !here_ || Boolean(wanted) && !fits(action, wanted) : !rows.some((order) => fits(action, order.status)));
		}
		mark(find("#orders-as-of", this.root), "data-level", this.fault ? "bad" : "");
		find("#orders-as-of", this.root).replaceChildren(...(this.fault ? [visible(this.fault)] : this.incomplete ? ["the archive is away: orders that have left Redis are missing"] : this.asOf ? ["from the archive, as of ", when(this.asOf)] : []));
		for (const link of all("[data-export]", this.root)) {
			mark(link, "href", here(`/orders/export?${new URLSearchParams([...this.filter, ["format", link.dataset.export]])}`));
		}
	}

	async act(action) {
		const button = find(`[data-act=${action}]`, this.root);
		if (this.whole) {
			const job = await act(action, this.filter, this.signal);
			if (job) visit(`#/jobs/${encodeURIComponent(job)}`);
			else if (!this.signal.aborted) button.focus();
			return;
		}
		const ids = this.found.filter((order) => this.selected.has(order.id) && fits(action, order.status)).map(({ id }) => id);
		this.working = true;
		await actOnRows(action, ids, find("#orders-result", this.root), this.signal);
		this.working = false;
		this.selected.clear();
		if (this.signal.aborted) return;
		this.figures.soon();
		await this.look();
		find("#found a", this.root)?.focus({ preventScroll: true });
	}
}

/** told is an order with what an event tells about it. */
function told(order, event) {
	if (!event) return order;
	const { status, attempt } = event, failing = /^(failed|rejected|retrying)$/.test(status);
	return { ...order, status, error: failing ? order.error ?? event.reason : undefined, attempts: attempt ? [{ number: attempt }] : order.attempts };
}
