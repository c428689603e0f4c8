// The page: one view at a time, by the fragment of the URL, below the state of the
// system.

import { dismiss } from "./dialog.js";
import { all, find, mark, outdate, say, show, visible, when } from "./dom.js";
import { failures } from "./failures.js";
import { Figures } from "./figures.js";
import { count } from "./format.js";
import { order } from "./order.js";
import { overview } from "./overview.js";
import { review } from "./review.js";
import { rules } from "./rules.js";
import { staleness, stateOf } from "./state.js";
import { Stream } from "./stream.js";
import { submit } from "./submit.js";

const views = { overview, review, failures, rules, order, submit };
const titles = { overview: "Order processor", review: "Review", failures: "Failures", rules: "Rules", submit: "Submit an order" };
/** badges are the views that show how many orders have a status. */
const badges = { review: "held", failures: "failed" };

const figures = new Figures();
const stream = new Stream();
let shown = null; // ends the view that is shown
let asOf; // the time of the figures that are shown
let began; // the time since when it is as it is

/** routeOf returns the view of a fragment, and the id of its order or its version of the rules. */
function routeOf(hash) {
	const [, name = "", ...rest] = hash.split("/");
	if (name === "orders" && rest.length) return { view: "order", id: decode(rest.join("/")) };
	if (name === "rules" && rest[0]) return { view: name, id: decode(rest.join("/")) };
	return { view: titles[name] ? name : "overview" };
}

function decode(text) {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}

/** go shows the view of the current fragment. */
function go(first) {
	const { view, id } = routeOf(location.hash);
	shown?.abort();
	shown = new AbortController();
	stream.close();
	dismiss();
	const main = find("#main");
	main.replaceChildren(find(`#view-${view}`).content.cloneNode(true));
	views[view](main, { id, figures, stream, signal: shown.signal });
	document.title = titles[view] ? titles[view] : visible(`Order ${id}`);
	for (const link of all("[data-view]")) mark(link, "aria-current", link.dataset.view === view ? "page" : "false");
	if (first === true) return;
	scrollTo(0, 0);
	find("h1", main).focus({ preventScroll: true });
}

/** showState shows the state of the system above every view. */
function showState() {
	const { level, key, words, since, detail } = stateOf(figures);
	const element = find("#state");
	const alarm = key !== element.dataset.key && (level === "warning" || level === "bad");
	if (alarm && element.dataset.level !== "unknown") outdate(document, level === "bad" ? 0 : undefined);
	mark(element, "data-level", level);
	mark(element, "data-key", key);
	say(find("#state-words"), words);
	say(find("#state-detail"), detail);
	if (since !== began) find("#state-since").replaceChildren(...(since ? ["Since ", when(since), ". "] : []));
	began = since;
	const at = figures.at?.toISOString();
	if (at !== asOf && at) {
		find("#state-time").replaceChildren("as of ", when(at));
		find("#banner-time").replaceChildren("Showing figures of ", when(at), ". ");
	}
	asOf = at;
	const stale = staleness(figures);
	say(find("#banner-words"), stale);
	show(find("#banner"), stale !== "");
	document.body.classList.toggle("stale", stale !== "" && figures.at !== null);
	for (const [view, status] of Object.entries(badges)) {
		const number = figures.stats?.by_status[status] ?? 0;
		const badge = find(`#${view}-badge`);
		say(badge, count(number));
		show(badge, number > 0);
	}
}

find("#search").addEventListener("submit", (event) => {
	event.preventDefault();
	const id = find("#search-id").value.trim();
	if (id) location.hash = `#/orders/${encodeURIComponent(id)}`;
});
find("#skip").addEventListener("click", (event) => {
	event.preventDefault(); // #main is not a view
	find("#main").focus();
});
window.addEventListener("hashchange", go);
figures.listen(showState);
go(true);
figures.start();
