// Failed and rejected orders, grouped by reason, and retries of a group.

import { get, post } from "./client.js";
import { confirm } from "./dialog.js";
import { all, clear, find, make, notify, orderLink, say, show, when } from "./dom.js";
import { count, many } from "./format.js";
import { failureAdvice } from "./order.js";

/** most is how many orders are loaded and grouped. */
const most = 200;
/** longest and shortest bound the part of an error that a group is retried by, in characters. */
const longest = 200;
const shortest = 4;
/** step is how many orders one request retries. */
const step = 1000;
/** counting is how long orders are counted before the question is asked, in ms. */
const counting = 10_000;
/** pause is the least time between two loads because of new failures, in ms. */
const pause = 5000;

/** job is the retry of many orders: one at a time, which goes on while other views are shown. */
const job = { busy: false, level: "", words: "", view: null };

/** tell keeps how far the retry is, and shows it in the view, or in the next one. */
function tell(level, words) {
	Object.assign(job, { level, words });
	job.view.told();
}

/** run retries the orders that match. */
async function run(filter, all) {
	const stay = (event) => event.preventDefault(); // the browser asks before the page is left
	addEventListener("beforeunload", stay);
	let cursor, retried = 0;
	try {
		do {
			const report = await post("/orders/retry", { ...filter, dry_run: false, cursor });
			retried += report.retried;
			cursor = report.next_cursor;
			if (cursor) tell("good", `${count(retried)} of ${all} are pending again …`);
		} while (cursor);
		tell("good", `${many(retried, "order is", "orders are")} pending again.`);
	} catch (refusal) {
		tell("bad", `It stopped when ${count(retried)} ${refusal.status ? "" : "or more "}of ${all} were pending again. ${refusal.message} Retry again to go on.`);
	}
	removeEventListener("beforeunload", stay);
	job.view.figures.soon();
	await job.view.load();
}

/** failures shows the view until the signal ends. */
export function failures(root, context) {
	const view = new Failures(root, context);
	for (const choice of all("[name=status]", root)) choice.addEventListener("change", () => view.turn());
	find("#failures-reload", root).addEventListener("click", () => view.load());
	view.every.addEventListener("click", () => view.retry(view.every));
	let known = null, loaded = Date.now();
	context.figures.listen(({ stats }) => {
		const now = stats?.by_status[view.status()];
		if (now === undefined || now === known && !view.unread || Date.now() - loaded < pause || view.held()) return;
		known = now;
		loaded = Date.now();
		view.load();
	}, context.signal);
	view.load();
}

class Failures {
	constructor(root, { figures, signal }) {
		Object.assign(this, { root, figures, signal, groups: find("#failures-groups", root), result: find("#failures-result", root), fault: find("#failures-fault", root), every: find("#failures-all", root) });
		job.view = this;
		this.told();
	}

	/** told shows how far a retry is, and its end once. */
	told() {
		if (this.signal.aborted || !job.words) return;
		notify(this.result, job.level, job.words);
		if (!job.words.endsWith("…")) job.words = "";
	}

	/** hold allows one retry at a time. */
	hold(busy) {
		job.busy = busy;
		for (const button of all("[data-retry]", job.view.root)) button.disabled = busy;
	}

	/** held reports whether somebody is using one of the groups, which then stay. */
	held() { return job.busy || this.groups.matches(":hover") || this.groups.contains(document.activeElement); }

	status() { return find("[name=status]:checked", this.root).value; }

	/** turn switches to the other list. */
	turn() {
		clear(this.result);
		this.groups.replaceChildren();
		show(this.every, false);
		say(find("#failures-lead", this.root), "");
		this.load();
	}

	failed() { return this.status() === "failed"; }

	async load() {
		this.loading?.abort();
		const loading = this.loading = new AbortController();
		this.signal.addEventListener("abort", () => loading.abort(), { once: true, signal: loading.signal });
		try {
			const page = await get(`/orders?status=${this.status()}&limit=${most}`, { signal: loading.signal });
			this.show(page);
			this.unread = false;
			clear(this.fault);
		} catch (refusal) {
			if (!loading.signal.aborted) {
				this.unread = true;
				notify(this.fault, "bad", `The list cannot be read. ${refusal.message}`);
			}
		}
		loading.abort();
	}

	show({ orders, next_cursor: more }) {
		const groups = groupsOf(orders);
		const newest = orders.length === 1 ? "order" : many(orders.length, "order");
		const lead = orders.length ? `The newest ${newest} that ${this.failed() ? "failed" : "a rule or a person refused"}, by reason.` : "";
		say(find("#failures-lead", this.root), more && lead ? `${lead} There are more; a retry includes all that match.` : lead);
		show(this.every, this.failed() && Boolean(more || orders.some(({ error }) => error?.includes(this.every.dataset.retry))));
		if (groups.length) this.groups.replaceChildren(...groups.map((group) => this.card(group)));
		else this.groups.replaceChildren(make("section", { class: "card empty" }, make("h2", {}, `Nothing ${this.failed() ? "has failed" : "was rejected"}`), make("p", {}, "Such orders appear here without a reload.")));
		this.hold(job.busy);
	}

	card(group) {
		const button = make("button", { type: "button", class: "primary", "data-retry": group.part }, group.orders.length === 1 ? "Retry it …" : "Retry these …");
		button.addEventListener("click", () => this.retry(button));
		const advice = this.failed() ? failureAdvice(group.orders[0].error ?? "") : "A business rule refused these, or somebody did while they were held. Retry them only after the rules have changed.";
		return make("section", { class: "card failure", "data-level": this.failed() ? "bad" : "warning" },
			make("div", { class: "tally" }, make("strong", {}, count(group.orders.length)), make("span", { class: "note" }, group.orders.length === 1 ? "order" : "orders")),
			make("div", { class: "why" },
				make("h2", {}, group.pattern), make("p", {}, advice),
				make("p", { class: "note" }, "newest ", when(group.newest), " · for instance ", orderLink(group.orders[0].id))),
			make("div", { class: "actions" }, group.part ? button : make("p", { class: "note" }, "retry these one by one")));
	}

	/** retry counts what would be retried, asks, and does it. */
	async retry(button) {
		const { retry: part } = button.dataset;
		const filter = { status: this.status(), error_contains: part, limit: step };
		this.hold(true);
		clear(this.result);
		try {
			const number = await this.count(filter);
			const sure = number && await confirm({
				title: `Retry ${number}?`, yes: "Retry",
				body: ["Every order that " + (filter.status === "failed" ? "failed" : "was rejected") + " with an error that contains", make("p", {}, make("code", {}, part)), "is retried. The count of its attempts starts again."],
			});
			if (sure) await run(filter, number);
			else if (!number) notify(this.result, "good", "No such order is left.");
		} catch (refusal) {
			if (!this.signal.aborted) notify(this.result, "bad", `Nothing was retried. ${refusal.message}`);
		}
		this.hold(false);
		if (!this.signal.aborted) (button.isConnected ? button : find("h1", this.root)).focus();
	}

	/** count says how many orders match, at least; it is empty for none. */
	async count(filter) {
		const until = Date.now() + counting;
		let cursor, found = 0;
		do {
			const report = await post("/orders/retry", { ...filter, dry_run: true, cursor }, { signal: this.signal });
			found += report.count;
			cursor = report.next_cursor;
			if (cursor) notify(this.result, "good", `${count(found)} found …`);
		} while (cursor && Date.now() < until);
		clear(this.result);
		return found || cursor ? `${cursor ? "at least " : ""}${many(found, "order")}` : "";
	}
}

/**
 * groupsOf groups orders whose errors differ only in ids and numbers, largest group
 * first. The status code of an HTTP answer is not such a number.
 */
export function groupsOf(orders) {
	const groups = new Map();
	for (const order of orders) {
		const pieces = piecesOf(order.error ?? "", order.id);
		const pattern = pieces.join("…") || "no reason is recorded";
		const group = groups.get(pattern) ?? { pattern, part: longestOf(pieces), orders: [], newest: "" };
		group.orders.push(order);
		const at = order.processed_at ?? order.created_at;
		if (new Date(at) > new Date(group.newest || 0)) group.newest = at;
		groups.set(pattern, group);
	}
	return [...groups.values()].sort((a, b) => b.orders.length - a.orders.length);
}

const varying = /(?<!answered \d*)(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{16,}\b|\d+(?:\.\d+)*)/gi;

/** piecesOf cuts an error at what differs from order to order. */
function piecesOf(error, id) {
	return error.split(id).flatMap((piece) => piece.split(varying));
}

/** longestOf is the longest literal piece, cut for the API; empty if all are too short. */
function longestOf(pieces) {
	const piece = pieces.map((p) => p.trim()).reduce((a, b) => (b.length > a.length ? b : a), "");
	return piece.length < shortest ? "" : [...piece].slice(0, longest).join("").trim();
}
