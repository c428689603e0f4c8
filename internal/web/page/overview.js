// The first view: figures, queues, durations, and the newest orders.

import { hashOf, visit } from "./address.js";
import { Chart } from "./charts.js";
import { all, find, make, mark, say, show } from "./dom.js";
import { age, amount, bytes, count, counted, duration, many, rate, share } from "./format.js";
import { History } from "./history.js";
import { listHelp, listKeys, useKeys } from "./keys.js";
import { OrderList } from "./newest.js";
import { QueueCard } from "./queues.js";

const measures = [["queue_wait", "Waiting"], ["processing", "Processing"], ["end_to_end", "End to end"]];
const tileNames = { completed: "Completed", failed: "Failed", retrying: "Retrying", waiting: "Waiting", workers: "Workers", memory: "Memory of Redis", shop: "Shop", books: "Books", drift: "Ledger drift" };
/** rare are the tiles that have nothing to say as a rule. */
const rare = ["books", "drift"];
const meters = { workers: "slots", memory: "memory" };
const outcomes = ["completed", "rejected", "failed", "cancelled"];

/** overview shows the view until the signal ends. */
export function overview(root, { query, figures, stream, signal }) {
	const charts = [new Chart(find("[data-chart=throughput]", root), { series: ["accepted", "completed", "failed"], unit: "Orders per second", signal })];
	const past = new History(root, { figures, signal, show: (...drawn) => charts.forEach((chart) => chart.show(...drawn)) });
	let cards;
	/** addQueues adds a card and a line for each queue, in the order of the API. */
	const addQueues = (queues) => {
		cards = queues.map((name) => new QueueCard(name, { root, figures }));
		find("#queues", root).append(...cards.map((card) => card.element));
		charts.push(new Chart(find("[data-chart=depth]", root), {
			series: queues, unit: "Orders that wait", signal,
		}));
		past.draw();
	};
	find(".tiles", root).append(...Object.entries(tileNames).map(tile));
	const times = measures.map(([key, name]) => timesRow(key, name));
	find("#times tbody", root).append(...times.map((row) => row.element));
	welcome(root);

	figures.listen(({ stats, samples }) => {
		if (!stats) return;
		tiles(root, stats);
		if (!cards) addQueues(Object.keys(stats.queues));
		for (const card of cards) card.show(stats.queues[card.name]);
		for (const row of times) row.show(stats.latency_ms);
		shares(root, stats.by_status);
		show(find("#welcome", root), stats.ledger.accepted === 0);
		if (!past.range) for (const chart of charts) chart.show(samples);
	}, signal);
	for (const choice of all("[name=range]", root)) choice.addEventListener("change", () => visit(hashOf("", [["range", choice.value]])));
	useKeys(listKeys(root, "#orders tbody tr[data-order]"), listHelp(), signal);

	const list = new OrderList(find("#orders", root), { note: find("#orders-note", root), empty: find("#orders-empty", root), signal });
	stream.open("", { fresh: () => list.fresh(), order: (event) => list.update(event), state: (word) => list.state(word) });
	list.load();
	const turn = (now) => {
		const range = now.get("range") ?? "";
		for (const choice of all("[name=range]", root)) choice.checked = choice.value === range;
		past.turn(range);
		if (!range) for (const chart of charts) chart.show(figures.samples);
	};
	turn(query);
	return turn;
}

function tile([name, title]) {
	return make("article", { class: "tile", "data-tile": name, hidden: rare.includes(name) }, make("h2", {}, title),
		make("p", { class: "figure skeleton", "data-figure": name }), make("p", { class: "note skeleton", "data-figure": `${name}-note` }),
		meters[name] && make("div", { class: "meter", "data-meter": meters[name] }, make("span")));
}

function tiles(root, stats) {
	const oldest = Math.max(...Object.values(stats.queues).map((queue) => queue.oldest_pending_seconds));
	const { workers, active_workers: slots } = stats;
	const { completed, failed, retrying, scheduled, held } = stats.by_status;
	figure(root, "completed", perSecond(stats.completed_per_second), `${count(completed)} so far`);
	figure(root, "failed", perSecond(stats.failed_per_second), `${count(failed)} so far`);
	figure(root, "retrying", count(retrying), retrying ? "tried again later" : "none");
	figure(root, "waiting", count(stats.queue_length), [
		oldest && `oldest for ${duration(1000 * oldest)}`, scheduled && `${count(scheduled)} scheduled`, held && `${count(held)} held`].filter(Boolean).join(" · ") || (stats.queue_length ? "not long" : "none waits"));
	const busy = inWork(stats);
	figure(root, "workers", counted(workers ?? slots),
		slots ? `${count(busy)} of ${many(slots, "slot")} busy` : slots === 0 ? "none is alive" : "unknown");
	const { drift, books = [] } = stats.ledger;
	const away = books.filter((book) => book.away).length;
	figure(root, "books", count(books.length), away ? `${count(away)} away` : "all answer");
	show(find("[data-tile=books]", root), books.length > 0);
	level(root, "books", away ? "bad" : "");
	figure(root, "drift", count(drift), "The books do not balance");
	show(find("[data-tile=drift]", root), drift !== 0);
	say(find("#books", root), drift ? "" : "the books balance");
	meter(root, "slots", slots ? busy / slots : 0, 2);
	level(root, "workers", slots === 0 ? "bad" : "");
	level(root, "failed", stats.failed_per_second ? "warning" : "");
	level(root, "drift", "bad");
	memory(root, stats);
	shop(root, stats.fulfilment ?? {});
}

const perSecond = (n) => `${counted(n, rate)} /s`;

/**
 * inWork is how many orders are being processed, at most one for each slot: workers
 * prefetch orders, and those of a killed worker count until they are found.
 */
function inWork(stats) {
	const { by_status: statuses, active_workers: slots } = stats;
	const active = Object.values(stats.queues).reduce((total, queue) => total + queue.active, 0);
	return Math.min(active, slots ?? active, ["processing", "priority_processing", "expedited"].reduce((total, status) => total + statuses[status], 0));
}

/** crowded is the share of Redis's memory above which the first orders are refused. */
const crowded = (stats) => Math.min(...Object.values(stats.queues).map((queue) => queue.memory_percent)) / 100;

/** shop shows how many calls succeed, or that the circuit breaker holds them back. */
function shop(root, { state, since, calls_per_second: calls, success_ratio: taken }) {
	const [breaker, tone = ""] = { open: ["open", "bad"], half_open: ["half open", "warning"] }[state] ?? [];
	const lasting = breaker && since ? ` for ${age(Date.now() - new Date(since))}` : "";
	figure(root, "shop", perSecond(calls), breaker ? `circuit breaker ${breaker}${lasting}` : calls ? `${share(taken, 1)} succeed` : "no calls");
	level(root, "shop", tone);
}

function memory(root, stats) {
	const { memory_used_bytes: used, memory_limit_bytes: limit } = stats.redis;
	figure(root, "memory", bytes(used), limit ? `${share(used, limit)} of ${bytes(limit)}` : "no limit set");
	meter(root, "memory", limit ? used / limit : 0, crowded(stats));
	level(root, "memory", limit && used / limit > crowded(stats) ? "warning" : "");
}

function figure(root, name, value, note) {
	for (const [key, text] of [[name, value], [`${name}-note`, note]]) {
		const element = find(`[data-figure="${key}"]`, root);
		element.classList.remove("skeleton");
		element.classList.toggle("long", text.length > 9);
		say(element, text);
	}
}

function meter(root, name, part, full) {
	const bar = find(`[data-meter=${name}]`, root);
	mark(bar, "data-level", part > full ? "warning" : "");
	bar.firstElementChild.style.width = `${Math.min(100, 100 * part)}%`;
}

const level = (root, name, word) => mark(find(`[data-tile=${name}]`, root), "data-level", word);

function timesRow(key, name) {
	const cells = ["p50", "p95", "p99"].map((quantile) => ({ quantile, element: make("td", { "data-time": `${key}-${quantile}` }) }));
	return {
		element: make("tr", {}, make("th", { scope: "row" }, name), ...cells.map((cell) => cell.element)),
		show: (latency) => cells.forEach(({ quantile, element }) => say(element, latency[key][quantile] ? duration(latency[key][quantile]) : "–")),
	};
}

function shares(root, byStatus) {
	const settled = outcomes.reduce((total, status) => total + byStatus[status], 0);
	const bar = find("#shares", root), list = find("#outcomes", root);
	if (!list.children.length) {
		bar.append(...outcomes.map((status) => make("span", { "data-status": status })));
		list.append(...outcomes.map((status) => make("div", { "data-status": status }, make("dt", {}, status), make("dd"), make("dd", { class: "note" }))));
	}
	outcomes.forEach((status, i) => {
		bar.children[i].style.flexGrow = byStatus[status];
		show(bar.children[i], byStatus[status] > 0);
		const [, number, part] = list.children[i].children;
		say(number, count(byStatus[status]));
		say(part, share(byStatus[status], settled));
	});
}

function welcome(root) {
	const sample = `{"id":"hello-1","amount":${amount(49.9)},"items":["tea"],"customer":"ada@example.com","address":"1 Example Road"}`;
	const command = `curl ${location.origin}/orders -H 'Content-Type: application/json' \\\n  -d '${sample}'`;
	find("#welcome-curl", root).textContent = command;
	const copy = find("#welcome-copy", root);
	show(copy, Boolean(navigator.clipboard));
	copy.addEventListener("click", () => navigator.clipboard.writeText(command).then(() => say(copy, "Copied"), () => say(copy, "Select it and copy it")));
}
