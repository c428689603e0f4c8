// All failed orders, grouped by what their errors have in common, and their retry.

import { act } from "./act.js";
import { hashOf, visit } from "./address.js";
import { get } from "./client.js";
import { clear, find, make, notify, orderLink, say, show, when } from "./dom.js";
import { count, many } from "./format.js";
import { listKeys, useKeys } from "./keys.js";
import { failureAdvice } from "./order.js";

/** pause is the least time between two loads because of new failures, in ms. */
const pause = 5000;
/** spans are the times since when failures count, in hours. */
const spans = { "1h": 1, "24h": 24, "7d": 168 };

/** failures shows the view until the signal ends. */
export function failures(root, context) {
	const view = new Failures(root, context);
	let known = null, loaded = 0;
	context.figures.listen(({ stats }) => {
		const now = stats?.by_status.failed;
		if (now === undefined || now === known && !view.unread || Date.now() - loaded < pause || view.held()) return;
		known = now;
		loaded = Date.now();
		view.load();
	}, context.signal);
	useKeys(listKeys(root, ".failure"), [["j", "the next group"], ["k", "the one before"], ["Enter", "show its orders"]], context.signal);
	const turn = (query) => { loaded = Date.now(); return view.turn(query); };
	turn(context.query);
	return turn;
}

class Failures {
	constructor(root, { figures, signal }) {
		Object.assign(this, { root, figures, signal, cards: new Map(), groups: find("#failures-groups", root), fault: find("#failures-fault", root), every: find("#failures-all", root), since: find("#failures-since", root) });
		this.every.addEventListener("click", () => this.retry(this.filter, this.every));
		this.since.addEventListener("change", () => visit(hashOf("failures", [["since", this.since.value]])));
		find("#failures-reload", root).addEventListener("click", () => this.load());
	}

	/** held reports whether somebody is using one of the groups, which then stay. */
	held() { return this.groups.matches(":hover") || this.groups.contains(document.activeElement); }

	turn(query) {
		this.since.value = query.get("since") ?? "";
		this.load();
	}

	async load() {
		this.loading?.abort();
		const loading = this.loading = new AbortController();
		const signal = AbortSignal.any([this.signal, loading.signal]);
		try {
			const hours = spans[this.since.value], since = hours && new Date(Date.now() - 3_600_000 * hours).toISOString();
			this.filter = [["status", "failed"], ...(since ? [["settled_from", since]] : [])];
			this.show(await get(`/failures${since ? `?since=${since}` : ""}`, { signal }));
			this.unread = false;
			clear(this.fault);
		} catch (refusal) {
			if (signal.aborted) return;
			this.unread = true;
			notify(this.fault, "bad", `The failures cannot be read. ${refusal.message}`);
		}
	}

	show({ groups, as_of: asOf, incomplete }) {
		const all = groups.reduce((sum, { orders }) => sum + orders, 0);
		const words = incomplete ? `${many(all, "order")} that failed, by error. There are more: the archive is away, or there is none.` : `${all === 1 ? "The one order" : `All ${count(all)} orders`} that failed, by error.`;
		say(find("#failures-lead", this.root), groups.length ? words : "");
		find("#failures-as-of", this.root).replaceChildren(...(asOf ? ["from the archive, as of ", when(asOf)] : []));
		show(this.every, groups.length > 0);
		const cards = new Map(groups.map((group) => [group.fingerprint, this.cardOf(group)]));
		for (const [key, card] of this.cards) if (cards.get(key) !== card) card.remove();
		this.cards = cards;
		[...cards.values()].forEach((card, i) => {
			if (this.groups.children[i] !== card) this.groups.insertBefore(card, this.groups.children[i] ?? null);
		});
		show(find("#failures-none", this.root), !groups.length);
	}

	/** cardOf is the card of a group: the one it has, unless something about it has changed. */
	cardOf(group) {
		const content = JSON.stringify(group), card = this.cards.get(group.fingerprint);
		return card?.content === content ? card : Object.assign(this.card(group), { content });
	}

	card(group) {
		const { orders, error, note, queue, first_seen: first, last_seen: last, example_ids: examples } = group;
		const filter = [...this.filter, ["error_fingerprint", group.fingerprint]];
		const retry = make("button", { type: "button", class: "primary", "data-retry": group.fingerprint }, orders === 1 ? "Retry it …" : "Retry these …");
		retry.addEventListener("click", () => this.retry(filter, retry));
		return make("section", { class: "card failure", "data-level": "bad" },
			make("div", { class: "tally" }, make("strong", {}, count(orders)), make("span", { class: "note" }, orders === 1 ? "order" : "orders")),
			make("div", { class: "why" },
				make("h2", {}, error || "no error is recorded"), note && make("p", {}, "The shop answered: ", make("q", {}, note)), make("p", {}, failureAdvice(error ?? "")),
				make("p", { class: "note" }, ...(first === last ? [] : ["first ", when(first), " · "]), "last ", when(last), ` · queue ${queue}`),
				make("p", { class: "note examples" }, "for instance ", ...examples.slice(0, 3).flatMap((id, i) => [i ? ", " : "", orderLink(id)]))),
			make("div", { class: "actions" }, make("a", { class: "button", href: hashOf("orders", filter) }, orders === 1 ? "Show it" : "Show orders"), retry));
	}

	async retry(filter, button) {
		const job = await act("retry", filter, this.signal);
		if (this.signal.aborted) return;
		if (job) visit(`#/jobs/${encodeURIComponent(job)}`);
		else (button.isConnected ? button : find("h1", this.root)).focus();
	}
}
