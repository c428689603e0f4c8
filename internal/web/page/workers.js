// The worker processes, and the orders that they work on.

import { get } from "./client.js";
import { clear, find, make, notify, orderLink, say, show, when } from "./dom.js";
import { age, count, many } from "./format.js";
import { listHelp, listKeys, useKeys } from "./keys.js";
import { every } from "./poll.js";
import { progress, Table } from "./table.js";

/** pause is the time between two readings, in ms. */
const pause = 2000;
/** late is the age of a heartbeat above which a worker may be gone, in seconds. */
const late = 6;
/** most is how many orders of a worker are listed. */
const most = 8;

function slotsOf({ busy, slots }) {
	const meter = progress("Busy slots");
	meter.show(slots ? busy / slots : 0, `${busy} of ${slots}`);
	return [slots ? `${count(busy)} of ${count(slots)}` : `${count(busy)}; it stops`, meter.bar];
}

function ordersOf({ orders = [] }) {
	if (!orders.length) return make("span", { class: "note" }, "none");
	const longest = orders.toSorted((a, b) => b.running_seconds - a.running_seconds);
	return make("ul", { class: "work" }, ...longest.slice(0, most).map(({ id, attempt, running_seconds: seconds }) => make("li", {},
		orderLink(id), make("span", { class: "note" }, ` ${attempt > 1 ? `attempt ${attempt}, ` : ""}for ${age(1000 * seconds)}`))),
	orders.length > most && make("li", { class: "note" }, `and ${count(orders.length - most)} more`));
}

const columns = [
	{ key: "host", name: "Worker", by: ({ host }) => host, cell: ({ host, id }) => make("div", {}, make("strong", {}, host), make("div", { class: "note id" }, id)) },
	{ key: "version", name: "Version", cell: ({ version }) => version || "not known yet" },
	{ key: "started", name: "Started", cell: ({ started_at: at }) => when(at, { brief: true }) },
	{ key: "heartbeat", name: "Heartbeat", number: true, cell: ({ heartbeat_age_seconds: seconds }) => make("span", { "data-level": seconds > late && "bad" }, seconds < 1 ? "now" : `${age(1000 * seconds)} ago`) },
	{ key: "slots", name: "Busy slots", cell: slotsOf },
	{ key: "orders", name: "In work", cell: ordersOf },
];

/** workers shows the view until the signal ends. */
export function workers(root, { signal }) {
	const table = new Table(find("#workers", root), { caption: "Workers", columns, keyOf: ({ id }) => id });
	const fault = find("#workers-fault", root);
	useKeys(listKeys(root, "#workers tbody tr"), listHelp(), signal);
	every(pause, signal, async () => {
		try {
			const { workers: list } = await get("/workers", { signal });
			const versions = new Set(list.map(({ version }) => version));
			table.show(list.toSorted((a, b) => (a.host + a.id < b.host + b.id ? -1 : 1)));
			say(find("#workers-note", root), list.length ? `${many(list.length, "process", "processes")}, ${count(list.reduce((sum, { busy }) => sum + busy, 0))} of ${many(list.reduce((sum, { slots }) => sum + slots, 0), "slot")} busy${versions.size > 1 ? "; they are of different versions" : ""}` : "");
			show(find("#workers", root), list.length > 0);
			show(find("#workers-none", root), list.length === 0);
			clear(fault);
		} catch (refusal) {
			if (!signal.aborted) notify(fault, "bad", `The workers cannot be read. ${refusal.message}`);
		}
	});
}
