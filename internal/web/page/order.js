// One order: its content, its events, and what can be done about it.

import { hashOf } from "./address.js";
import { get, here, isID, orderPath, post } from "./client.js";
import { decisionCard, readDecision } from "./decision.js";
import { askWhy } from "./dialog.js";
import { clear, find, make, notify, outdate, pill, say, when } from "./dom.js";
import { amount, duration, many } from "./format.js";
import { askEnd, decider, end, endButtons, endWords } from "./hold.js";
import { isSettled } from "./newest.js";

/** settle is how long events are collected before the order is loaded again, in ms. */
const settle = 150;

const cancellable = ["scheduled", "pending", "held", "retrying"];
const retryable = ["failed", "rejected"];

/** order shows the page of one order until the signal ends. */
export function order(root, { id, figures, stream, signal }) {
	say(find("[data-field=title]", root), id);
	if (!isID(id)) return missing(root, "No order can have this id: ids are 1 to 128 characters of A–Z a–z 0–9 . _ ~ : / # = @ + -");
	const page = new OrderPage(root, { id, figures, signal });
	stream.open(`?id=${encodeURIComponent(id)}`, { fresh: () => page.soon(), order: () => page.soon(), state: () => {} });
	signal.addEventListener("abort", () => clearTimeout(page.timer), { once: true });
	page.load();
}

function missing(root, words, prefix = "") {
	find("[data-field=pill]", root).replaceChildren();
	for (const region of [find("#order-fault", root), find("#order-result", root)]) clear(region);
	find("#order-body", root).replaceChildren(make("section", { class: "card empty", id: "order-missing" },
		make("h2", {}, "There is no such order"), make("p", {}, words),
		make("p", {}, prefix && make("a", { href: hashOf("orders", [["id_prefix", prefix]]) }, "Orders whose ids begin so"), prefix && " · ", make("a", { href: "#/orders" }, "All orders"))));
}

class OrderPage {
	constructor(root, { id, figures, signal }) {
		Object.assign(this, { root, id, figures, signal });
		this.body = find("#order-body", root);
		this.fault = find("#order-fault", root);
		this.body.replaceChildren(make("section", { class: "card skeleton", "aria-hidden": "true" }, make("p", {}, "…")));
	}

	/** soon loads the order once for all events that come together. */
	soon() {
		clearTimeout(this.timer);
		this.timer = setTimeout(() => this.load(), settle);
	}

	async load() {
		if (this.loading) return this.soon();
		this.loading = true;
		try {
			const order = await get(orderPath(this.id), { signal: this.signal });
			const { events } = await get(orderPath(this.id, "/events"), { signal: this.signal });
			const decision = await readDecision(this.id, events, this.signal);
			if (this.signal.aborted) return;
			this.show(order, events, decision);
			clear(this.fault);
		} catch (refusal) {
			if (!this.signal.aborted) this.fail(refusal);
		} finally {
			this.loading = false;
		}
	}

	fail(refusal) {
		if (refusal.status === 404) return missing(this.root, "It was never accepted, or was settled so long ago that it has been removed.", this.id);
		if (!this.shown) this.body.replaceChildren();
		notify(this.fault, "bad", `The order cannot be read${this.shown ? " again" : ""}. ${refusal.message} It is loaded again soon.`);
		clearTimeout(this.timer);
		this.timer = setTimeout(() => this.load(), 3000);
	}

	show(order, events, decision) {
		const text = JSON.stringify([order, events, decision]);
		if (text === this.shown) return;
		this.shown = text;
		if (order.status !== this.status) outdate(this.root);
		this.status = order.status;
		const focused = document.activeElement?.dataset?.action;
		find("[data-field=pill]", this.root).replaceChildren(pill(order.status));
		const left = make("div", {}, timeline(order, events), decision && decisionCard(decision, order));
		this.body.replaceChildren(verdictCard(order, events, this.buttons(order)), copies(order), make("div", { class: "pair" }, left, facts(order)), attempts(order, events));
		if (focused) (find(`[data-action=${focused}]`, this.body) ?? find("h1", this.root)).focus();
	}

	buttons(order) {
		const buttons = order.status === "held" ? endButtons((step) => this.end(step)) : [];
		if (retryable.includes(order.status)) buttons.push(this.button("retry", "Retry it", () => this.retry()));
		if (cancellable.includes(order.status)) buttons.push(this.button("cancel", "Cancel it …", () => this.cancel()));
		return buttons;
	}

	button(action, label, act) {
		const button = make("button", { type: "button", "data-action": action, class: action === "retry" ? "primary" : undefined }, label);
		button.addEventListener("click", act);
		return button;
	}

	retry() {
		return this.act(() => post(orderPath(this.id, "/retry")), "is pending again. The count of its attempts starts again.", "was not retried.");
	}

	async cancel() {
		const body = await askWhy({
			name: "cancel", title: "Cancel the order?", yes: "Cancel the order", danger: true,
			body: ["It will never take effect, unless an attempt begins first."], label: "Reason, kept with the order (optional)",
		});
		if (body) await this.act(() => post(orderPath(this.id, "/cancel"), body), "is cancelled and will never take effect.", "was not cancelled.");
	}

	/** end releases or rejects the order, which is held. */
	async end(step) {
		const { done, undone } = endWords(step);
		const body = await askEnd(step, this.id);
		if (body) await this.act(() => end(step, this.id, body), done, undone);
	}

	async act(send, done, undone) {
		const result = find("#order-result", this.root);
		clear(result);
		for (const button of this.body.querySelectorAll("button")) button.disabled = true;
		try {
			await send();
			notify(result, "good", `It ${done}`);
			this.figures.soon();
		} catch (refusal) {
			notify(result, "bad", `It ${undone} ${refusal.message}`);
		}
		for (const button of this.body.querySelectorAll("button")) button.disabled = false;
		await this.load();
	}
}

/** verdictCard shows the outcome or the state, what to do, and the buttons for it. */
export function verdictCard(order, events, buttons) {
	const { level, words, advice } = verdictOf(order, events), { note } = /^(failed|completed|retrying)$/.test(order.status) && order.attempts.at(-1) || {};
	return make("section", { class: "card verdict", "data-level": level },
		make("div", {}, make("p", { class: "words" }, ...[words].flat()), note && note !== advice && make("p", { class: "detail" }, "The shop answered: ", make("q", {}, note)), advice && make("p", { class: "detail" }, ...[advice].flat())),
		buttons.length > 0 && make("div", { class: "actions" }, ...buttons));
}

function verdictOf(order, events) {
	const last = order.attempts.at(-1);
	const { status: ended, actor } = events.at(-1) ?? {};
	switch (order.status) {
		case "held": return { level: "warning", words: `Held: ${order.hold.reason}`, advice: holdAdvice(order.hold) };
		case "completed": return { level: "good", words: `Completed in ${duration(new Date(order.processed_at) - new Date(order.created_at))}.`, advice: order.result };
		case "failed": return { level: "bad", words: `Failed: ${order.error}`, advice: failureAdvice(order.error ?? "") };
		case "rejected": return { level: "warning", words: `Rejected: ${order.error}`, advice: ended === "rejected" && actor ? `It was held, and rejected ${decider(actor)}. A retry has the rules decide again.` : "A business rule refused it, which is an outcome and not an error. Retry it only after the rules have changed." };
		case "cancelled": return { level: "", words: order.cancel_reason ? `Cancelled: ${order.cancel_reason}` : "Cancelled.", advice: "It never takes effect." };
		case "retrying": return { level: "warning", words: `Attempt ${last?.number} failed: ${order.error}`, advice: ["It is tried again at ", when(order.next_attempt_at, { due: true }), ". Nothing needs to be done."] };
		case "scheduled": return { level: "", words: ["It begins at ", when(order.process_at, { due: true }), " or soon after."] };
		case "pending": return { level: "", words: `It waits for a worker in the queue ${order.queue}.`, advice: "" };
		default: return { level: "", words: `Attempt ${last?.number ?? 1} runs.`, advice: last ? [`On ${last.worker_id}, since `, when(last.started_at), "."] : "" };
	}
}

/** holdAdvice says what holds an order, and what ends that. */
function holdAdvice({ rule, expires_at: expiry, on_expiry: then }) {
	const by = rule ? `The rule “${rule}” wants somebody to look at it.` : "Somebody has to look at it.";
	return expiry ? [`${by} It is ${then === "release" ? "released" : "rejected"} by itself at `, when(expiry, { due: true }), "."] : `${by} It stays so until it is released or rejected.`;
}

/** failureAdvice says what to do about an error, by what it is. */
export function failureAdvice(error) {
	if (/worker.*lost/.test(error)) return "Its workers ended while processing it. Find out why before you retry it.";
	if (/answered 4\d\d/.test(error) && !/answered (408|425|429)/.test(error)) return "The shop refused it for good. See its answer, correct the cause, then retry.";
	if (/redirect/.test(error)) return "The fulfilment endpoint redirects. Correct ORDERS_FULFILMENT_URL, then retry.";
	if (/panic/.test(error)) return "This is a defect of the worker. Report it with its log line.";
	return "The attempts are used up: the shop was unavailable or answered with errors. Retry when it works again.";
}

/** copies has the buttons that copy an order, and where else it is seen. */
function copies(order) {
	const id = order.id, texts = {
		id: () => id, JSON: () => JSON.stringify(order, null, 2),
		curl: () => `curl '${here(orderPath(id))}'`,
	};
	const said = make("span", { class: "note", role: "status" });
	const buttons = Object.entries(texts).map(([name, text]) => {
		const button = make("button", { type: "button", "data-copy": name }, `Copy ${name}`);
		button.addEventListener("click", () => navigator.clipboard.writeText(text()).then(() => say(said, `The ${name} is copied.`), () => say(said, "The browser does not allow it.")));
		return button;
	});
	const trace = /^https?:\/\//.test(order.trace_url ?? "") && make("a", { class: "button", href: order.trace_url, target: "_blank", rel: "noopener noreferrer" }, "Trace ↗");
	return make("p", { class: "actions copies" }, ...(navigator.clipboard ? buttons : []), trace, make("a", { class: "button", href: hashOf("audit", [["target", id]]) }, "Audit"),
		order.archived && make("span", { class: "note" }, "from the archive"), said);
}

function timeline(order, events) {
	const list = make("ol", { class: "timeline" });
	let before = null;
	for (const event of events) {
		const at = new Date(event.time);
		if (before && event.sequence > before.sequence + 1) {
			list.append(make("li", { class: "left-out" }, `${many(event.sequence - before.sequence - 1, "event is", "events are")} not kept`));
		}
		list.append(make("li", { "data-status": event.status },
			make("div", { class: "what" }, pill(event.status), event.attempt && make("span", { class: "note" }, `attempt ${event.attempt}`),
				event.actor && make("span", { class: "note" }, `${event.status === "pending" ? before?.status === "held" ? "released" : "retried" : ""} ${decider(event.actor)}`.trim())),
			make("span", { class: "span" }, before ? `after ${duration(at - new Date(before.time))}` : ""),
			when(event.time, { exact: true }),
			event.reason && make("p", { class: "reason" }, ...reasonParts(event.reason))));
		before = event;
	}
	if (!isSettled(order.status)) list.append(make("li", { class: "now" }, make("span", { class: "note" }, "not settled yet; this page updates")));
	return make("section", { class: "card" }, make("h2", {}, "What happened"), list);
}

/** reasonParts is a reason, which begins with a job if that is what changed the order. */
function reasonParts(reason) {
	const [, id, rest] = /^job ([\w-]+)(?:: (.*))?$/s.exec(reason) ?? [];
	return id ? [make("a", { href: `#/jobs/${id}` }, "job"), rest && `: ${rest}`].filter(Boolean) : [reason];
}

/** itemText writes an item as in "6 × cups (c-1) at 2.50". */
function itemText(item, currency) {
	if (typeof item === "string") return item;
	const { name, sku, quantity, unit_price: price } = item;
	return `${quantity ? `${quantity} × ` : ""}${name}${sku ? ` (${sku})` : ""}${price === undefined ? "" : ` at ${amount(price, currency)}`}`;
}

/** facts shows the content of an order, and what became of it. */
export function facts(order) {
	const at = (text, options) => text && when(text, options);
	const rows = [
		["Amount", amount(order.amount, order.currency)], ["Customer", order.customer], ["Address", order.address], ["Country", order.country],
		["Items", make("ul", {}, ...order.items.map((item) => make("li", {}, itemText(item, order.currency))))], ["Notes", order.notes],
		["Metadata", order.metadata && make("ul", {}, ...Object.entries(order.metadata).map(([key, value]) => make("li", {}, `${key}: ${value}`)))],
		["Priority", `${order.priority}, queue ${order.queue}`], ["Handling", order.handling], ["Not before", at(order.process_at, { due: true })],
		["Accepted", at(order.created_at)], ["Settled", at(order.processed_at)],
		["Processing", order.processing_time_ms === undefined ? undefined : order.processing_time_ms ? duration(order.processing_time_ms) : "below 1 ms"],
		["Worker", order.worker_id], ["Result", order.result], ["Next attempt", at(order.next_attempt_at, { due: true })],
	].filter(([, value]) => value !== undefined && value !== "");
	return make("section", { class: "card" }, make("h2", {}, "The order"),
		make("dl", { class: "pairs facts" }, ...rows.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)))));
}

/** levels are the levels of the results of attempts. */
const levels = { completed: "good", rejected: "warning", failed: "bad" };

/** resultOf is the word for the result of an attempt, and its level. */
function resultOf(attempt, events) {
	if (attempt.error) return [attempt.error, "bad"];
	if (!attempt.ended_at) return ["–"];
	const status = events.findLast((event) => event.attempt === attempt.number && isSettled(event.status))?.status;
	return [status === "completed" ? "done" : status ?? "ended", levels[status]];
}

function attempts(order, events) {
	if (!order.attempts.length) return make("section", { class: "card" }, make("h2", {}, "Attempts"), make("p", { class: "note" }, "None has begun."));
	const names = ["No.", "Began", "Took", "Worker", "Result", "Answer of the shop"];
	const head = make("tr", { role: "row" }, ...names.map((name) => make("th", { scope: "col", role: "columnheader" }, name)));
	// The roles stay when a narrow page lays a row out in lines.
	const rows = order.attempts.toReversed().map((a) => make("tr", { role: "row", "data-attempt": String(a.number) }, ...[
		[String(a.number)], [when(a.started_at)],
		[a.ended_at ? duration(new Date(a.ended_at) - new Date(a.started_at)) : "running"], [a.worker_id, undefined, "id"],
		resultOf(a, events), [a.note ?? "–"],
	].map(([text, look, kind], i) => make("td", { role: "cell", "data-level": look, class: kind, "data-name": names[i] }, text))));
	return make("section", { class: "card" }, make("h2", {}, "Attempts"), make("div", { class: "scroll" }, make("table", { class: "attempts", role: "table" }, make("thead", {}, head), make("tbody", {}, ...rows))));
}
