// One order: its content, its events, and what can be done about it.

import { get, isID, orderPath, post } from "./client.js";
import { confirm } from "./dialog.js";
import { clear, find, make, notify, outdate, pill, say, when } from "./dom.js";
import { amount, duration, many } from "./format.js";
import { isSettled } from "./orders.js";

/** settle is how long events are collected before the order is loaded again, in ms. */
const settle = 150;
/** longest is how long a reason of a cancel may be, in characters; the API refuses more. */
const longest = 250;

const cancellable = ["scheduled", "pending", "retrying"];
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

function missing(root, words) {
	find("[data-field=pill]", root).replaceChildren();
	for (const region of [find("#order-fault", root), find("#order-result", root)]) clear(region);
	find("#order-body", root).replaceChildren(make("section", { class: "card empty", id: "order-missing" },
		make("h2", {}, "There is no such order"), make("p", {}, words),
		make("p", {}, make("a", { href: "#/" }, "Back to the newest orders"))));
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
			this.show(order, events);
			clear(this.fault);
		} catch (refusal) {
			if (!this.signal.aborted) this.fail(refusal);
		} finally {
			this.loading = false;
		}
	}

	fail(refusal) {
		if (refusal.status === 404) return missing(this.root, "It was never accepted, or was settled so long ago that it has been removed.");
		if (!this.shown) this.body.replaceChildren();
		notify(this.fault, "bad", `The order cannot be read${this.shown ? " again" : ""}. ${refusal.message} It is loaded again soon.`);
		clearTimeout(this.timer);
		this.timer = setTimeout(() => this.load(), 3000);
	}

	show(order, events) {
		const text = JSON.stringify([order, events]);
		if (text === this.shown) return;
		this.shown = text;
		if (order.status !== this.status) outdate(this.root);
		this.status = order.status;
		const focused = document.activeElement?.dataset?.action;
		find("[data-field=pill]", this.root).replaceChildren(pill(order.status));
		this.body.replaceChildren(this.verdict(order), make("div", { class: "pair" }, timeline(order, events), facts(order)), attempts(order, events));
		if (focused) (find(`[data-action=${focused}]`, this.body) ?? find("h1", this.root)).focus();
	}

	/** verdict shows the outcome or the state, what to do, and the buttons for it. */
	verdict(order) {
		const { level, words, advice } = verdictOf(order);
		const card = make("section", { class: "card verdict", "data-level": level },
			make("div", {}, make("p", { class: "words" }, ...[words].flat()), advice && make("p", { class: "detail" }, ...[advice].flat())));
		const buttons = make("div", { class: "actions" });
		if (retryable.includes(order.status)) buttons.append(this.button("retry", "Retry it", () => this.retry()));
		if (cancellable.includes(order.status)) buttons.append(this.button("cancel", "Cancel it …", () => this.cancel()));
		if (buttons.children.length) card.append(buttons);
		return card;
	}

	button(action, label, act) {
		const button = make("button", { type: "button", "data-action": action, class: action === "retry" ? "primary" : undefined }, label);
		button.addEventListener("click", act);
		return button;
	}

	retry() {
		return this.act("retry", undefined, "It is pending again. The count of its attempts starts again.");
	}

	async cancel() {
		const reason = make("input", { id: "cancel-reason", maxlength: String(longest), autocomplete: "off" });
		const sure = await confirm({
			title: "Cancel the order?", yes: "Cancel the order", danger: true,
			body: ["It will never take effect, unless an attempt begins first.", make("label", { for: "cancel-reason" }, "Reason, kept with the order (optional)"), reason],
		});
		if (sure) await this.act("cancel", reason.value.trim() ? { reason: reason.value.trim() } : undefined, "It is cancelled and will never take effect.");
	}

	async act(step, body, done) {
		const result = find("#order-result", this.root);
		clear(result);
		for (const button of this.body.querySelectorAll("button")) button.disabled = true;
		try {
			await post(orderPath(this.id, `/${step}`), body);
			notify(result, "good", done);
			this.figures.soon();
		} catch (refusal) {
			notify(result, "bad", `${step === "retry" ? "It was not retried." : "It was not cancelled."} ${refusal.message}`);
		}
		for (const button of this.body.querySelectorAll("button")) button.disabled = false;
		await this.load();
	}
}

function verdictOf(order) {
	const last = order.attempts.at(-1);
	switch (order.status) {
		case "completed": return { level: "good", words: `Completed in ${duration(new Date(order.processed_at) - new Date(order.created_at))}.`, advice: order.result };
		case "failed": return { level: "bad", words: `Failed: ${order.error}`, advice: failureAdvice(order.error ?? "") };
		case "rejected": return { level: "warning", words: `Rejected: ${order.error}`, advice: "A business rule refused it, which is an outcome and not an error. Retry it only after the rules have changed." };
		case "cancelled": return { level: "", words: order.cancel_reason ? `Cancelled: ${order.cancel_reason}` : "Cancelled.", advice: "It never takes effect." };
		case "retrying": return { level: "warning", words: `Attempt ${last?.number} failed: ${order.error}`, advice: ["It is tried again at ", when(order.next_attempt_at, { due: true }), ". Nothing needs to be done."] };
		case "scheduled": return { level: "", words: ["It begins at ", when(order.process_at, { due: true }), " or soon after."] };
		case "pending": return { level: "", words: `It waits for a worker in the queue ${order.queue}.`, advice: "" };
		default: return { level: "", words: `Attempt ${last?.number ?? 1} runs.`, advice: last ? [`On ${last.worker_id}, since `, when(last.started_at), "."] : "" };
	}
}

/** failureAdvice says what to do about an error, by what it is. */
export function failureAdvice(error) {
	if (/worker.*lost/.test(error)) return "Its workers ended while processing it. Find out why before you retry it.";
	if (/answered 4\d\d/.test(error) && !/answered (408|425|429)/.test(error)) return "The shop refused it for good. See its answer, correct the cause, then retry.";
	if (/redirect/.test(error)) return "The fulfilment endpoint redirects. Correct ORDERS_FULFILMENT_URL, then retry.";
	if (/panic/.test(error)) return "This is a defect of the worker. Report it with its log line.";
	return "The attempts are used up: the shop was unavailable or answered with errors. Retry when it works again.";
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
			make("div", { class: "what" }, pill(event.status), event.attempt && make("span", { class: "note" }, `attempt ${event.attempt}`)),
			make("span", { class: "span" }, before ? `after ${duration(at - new Date(before.time))}` : ""),
			when(event.time, { exact: true }),
			event.reason && make("p", { class: "reason" }, event.reason)));
		before = event;
	}
	if (!isSettled(order.status)) list.append(make("li", { class: "now" }, make("span", { class: "note" }, "not settled yet; this page updates")));
	return make("section", { class: "card" }, make("h2", {}, "What happened"), list);
}

/** itemText writes an item as in "6 × cups (c-1) at 2.50". */
function itemText(item, currency) {
	if (typeof item === "string") return item;
	const { name, sku, quantity, unit_price: price } = item;
	return `${quantity ? `${quantity} × ` : ""}${name}${sku ? ` (${sku})` : ""}${price === undefined ? "" : ` at ${amount(price, currency)}`}`;
}

function facts(order) {
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
		make("dl", { class: "facts" }, ...rows.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)))));
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
