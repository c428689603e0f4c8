// What the rules decided about an order.

import { get, orderPath } from "./client.js";
import { make } from "./dom.js";
import { amount, many } from "./format.js";

/** decided reports whether the rules have decided an order since it was accepted or retried. */
export function decided(events) {
	const newest = (matches) => events.findLastIndex(matches);
	return newest(({ status }) => /^(held|processing|priority_processing|expedited)$/.test(status)) > newest(({ status, actor }) => status === "pending" && !actor);
}

/** readDecision resolves to the decision about an order, or to nothing if there is none that can be read. */
export async function readDecision(id, events, signal) {
	if (!decided(events)) return undefined;
	const decision = await get(orderPath(id, "/decision"), { signal, accept: [404] }).catch(() => undefined);
	return decision?.version && decision;
}

/** versionLink links to a version of the rules. */
export const versionLink = (version) => make("a", { class: "id", href: `#/rules/${version}` }, version);

/** outcomeOf is the word by which two decisions are compared, as the API does. */
const outcomeOf = ({ decision, handling }) => (decision === "approve" ? handling : decision);

function wordsOf({ decision, handling }) {
	if (decision === "approve") return `approve, ${handling} handling`;
	return decision === "hold" ? `hold, ${handling} handling once released` : decision;
}

function triedRule({ name, matched, error }) {
	const result = matched ? " matched" : error ? " could not be evaluated" : " did not match";
	return make("li", {}, make("span", { "aria-hidden": "true" }, matched ? "✓ " : error ? "! " : "– "), name,
		make("span", { class: matched || error ? "note" : "hidden" }, result));
}

/** decisionCard shows a decision. */
export function decisionCard(decision, order) {
	const { version, rule, reason, tags, rules, facts, shadow } = decision;
	const rows = [
		["Decision", wordsOf(decision)], ["Rule", rule ?? "none decided it, so it is approved"], ["Reason", reason],
		["Tags", tags.length > 0 && tagList(tags)], ["Version", versionLink(version)],
		["Rules tried", rules.length > 0 && make("ul", { class: "tried" }, ...rules.map(triedRule))],
		["Customer", facts.customer && customerText(facts, order)],
		["Shadow", shadow && outcomeOf(shadow) !== outcomeOf(decision) && make("div", {}, versionLink(shadow.version), ` decided otherwise: ${[wordsOf(shadow), shadow.rule, shadow.reason].filter(Boolean).join(" · ")}`)],
	].filter(([, value]) => value);
	return make("section", { class: "card decision" }, make("h2", {}, "What the rules decided"),
		make("dl", { class: "pairs" }, ...rows.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)))));
}

/** tagList shows the tags of an order. */
export const tagList = (tags) => make("span", { class: "tags" }, ...tags.map((tag) => make("span", { class: "tag" }, tag)));

/** customerText writes the facts, whose amounts are in minor units: how many make one, the order shows. */
function customerText({ order: { amount: minor }, customer: { orders_24h: orders, amount_24h: sum } }, order) {
	const scale = order.amount ? 10 ** Math.round(Math.log10(minor / order.amount)) : 100;
	return `${many(orders, "order")} in 24 hours, ${amount(sum / scale, order.currency)} in all`;
}
