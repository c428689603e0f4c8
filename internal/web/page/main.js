// The page: one view at a time, by the fragment of the URL, below the state of the
// system.

import { routeOf } from "./address.js";
import { audit } from "./audit.js";
import { dismiss } from "./dialog.js";
import { all, find, mark, outdate, say, show, visible, when } from "./dom.js";
import { failures } from "./failures.js";
import { Figures } from "./figures.js";
import { count } from "./format.js";
import { job } from "./job.js";
import { jobs } from "./jobs.js";
import "./keys.js";
import { order } from "./order.js";
import { orders } from "./orders.js";
import { overview } from "./overview.js";
import { queue } from "./queue.js";
import { review } from "./review.js";
import { rules } from "./rules.js";
import { staleness, stateOf } from "./state.js";
import { Stream } from "./stream.js";
import { submit } from "./submit.js";
import { workers } from "./workers.js";

const views = { overview, orders, order, failures, review, workers, queue, jobs, job, audit, rules, submit };
const titles = { overview: "Order processor", orders: "Orders", failures: "Failures", review: "Review", workers: "Workers", jobs: "Jobs", audit: "Audit", rules: "Rules", submit: "Submit an order" };
/** singles are the views of one thing, by the names of their addresses: the view, what it is called, and the link to the head of it. */
const singles = { orders: ["order", "Order", "orders"], jobs: ["job", "Job", "jobs"], queues: ["queue", "Queue", "workers"] };
/** badges are the views that show how many orders have a status. */
const badges = { review: "held", failures: "failed" };

const figures = new Figures();
const stream = new Stream();
let shown = null; // ends the view that is shown
let place = {}; // the view that is shown, the id of what it is about, and what turns it to another query
let asOf; // the time of the figures that are shown
let began; // the time since when it is as it is

/** viewOf returns the view of a fragment, the id of what it is about, its query, and its title. */
function viewOf(hash) {
	const { name, id, query } = routeOf(hash);
	const [one, title, head] = singles[name] ?? [];
	if (id && one) return { view: one, head, id, query, title: `${title} ${visible(id)}` };
	const view = titles[name] ? name : "overview";
	return { view, head: view, id: id || undefined, query, title: titles[view] };
}

/** go shows the view of the current fragment. One that is shown already is turned to another query if it can be. */
function go(first) {
	const { view, head, id, query, title } = viewOf(location.hash);
	if (place.view === view && place.id === id && place.turn) return place.turn(query);
	shown?.abort();
	shown = new AbortController();
	stream.close();
	dismiss();
	const main = find("#main");
	main.replaceChildren(find(`#view-${view}`).content.cloneNode(true));
	place = { view, id, turn: views[view](main, { id, query, figures, stream, signal: shown.signal }) };
	document.title = title;
	for (const link of all("[data-view]")) mark(link, "aria-current", link.dataset.view === head ? "page" : "false");
	if (first === true) return undefined;
	scrollTo(0, 0);
	find("h1", main).focus({ preventScroll: true });
	return undefined;
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

/* The page of an order that there is not offers the orders whose ids begin so. */
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
