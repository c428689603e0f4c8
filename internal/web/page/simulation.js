// What a version of the rules would decide, compared with the active one.

import { lines, Refusal } from "./client.js";
import { make, orderLink } from "./dom.js";
import { amount, count, many } from "./format.js";

/**
 * simulate decides the newest orders by a version, and calls back with what it has so far.
 * It resolves to the result. The signal ends it.
 */
export async function simulate(version, limit, progress, signal) {
	let last;
	await lines(`/rules/${version}/simulate`, { limit }, (line) => {
		last = line;
		progress(line);
	}, signal);
	if (last?.error) throw new Refusal(503, { detail: last.error });
	if (!last?.done) throw new Refusal(0);
	return last;
}

/** summary says in a sentence how much would change. */
export function summary({ orders, changed, errors }) {
	if (!orders) return "There are no orders to decide.";
	const failing = errors ? ` For ${count(errors)} a rule could not be evaluated: such orders would be held.` : "";
	return `Of ${many(orders, "order")}, ${changed ? count(changed) : "none"} would change.${failing}`;
}

const sums = (amounts = {}) => Object.entries(amounts).map(([currency, sum]) => amount(sum, currency));

/** changeList lists the changes, one in each line. */
export function changeList({ transitions }) {
	return make("ul", { class: "changes" }, ...transitions.map(({ from, to, orders, amounts }) => make("li", {},
		make("strong", {}, `${count(orders)} ${from} → ${to}`), amounts && ` (${sums(amounts).join(", ")})`)));
}

/** changeTable shows the changes, with the amounts and the examples if there are any. */
export function changeTable({ transitions, examples }) {
	const names = ["From → to", "Orders", ...(examples ? ["Amounts", "Examples"] : [])];
	const rows = transitions.map(({ from, to, orders, amounts }) => {
		const some = examples?.filter((example) => example.from === from && example.to === to) ?? [];
		const cells = [`${from} → ${to}`, count(orders), ...(examples ? [
			make("div", {}, ...sums(amounts).map((sum) => make("div", {}, sum))),
			make("ul", {}, ...some.map(({ id, rule }) => make("li", {}, orderLink(id), rule && make("span", { class: "note" }, ` ${rule}`)))),
		] : [])];
		return make("tr", { role: "row" }, ...cells.map((cell, i) => make("td", { role: "cell", "data-name": names[i], class: i === 1 && "number" }, cell)));
	});
	const head = make("tr", { role: "row" }, ...names.map((name, i) => make("th", { scope: "col", role: "columnheader", class: i === 1 && "number" }, name)));
	return make("table", { class: "changes", role: "table" }, make("thead", {}, head), make("tbody", {}, ...rows));
}
