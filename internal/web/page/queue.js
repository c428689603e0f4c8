// One queue: what waits in it, who paused it, and its corrupt tasks.

import { hashOf } from "./address.js";
import { get } from "./client.js";
import { decider } from "./hold.js";
import { find, make, orderLink, say, show, visible, when } from "./dom.js";
import { count, duration } from "./format.js";
import { Chart } from "./charts.js";
import { QueueCard } from "./queues.js";
import { every } from "./poll.js";

/** pause is the time between two readings of who paused it and of the corrupt tasks, in ms. */
const pause = 10_000;
/** most is how much of a corrupt task is shown, in characters. */
const most = 300;

/** queue shows the view until the signal ends. */
export function queue(root, { id: name, figures, signal }) {
	say(find("[data-field=title]", root), name);
	const card = new QueueCard(name, { root, figures });
	find("#queue-card", root).replaceChildren(card.element);
	const chart = new Chart(find("#queue-depth", root), { series: [name], unit: `Orders that wait in ${name}, over the last five minutes`, signal });
	figures.listen(({ stats, samples }) => {
		if (!stats) return;
		const it = stats.queues[name];
		show(find("#queue-missing", root), !it);
		show(find("#queue-body", root), Boolean(it));
		if (!it) return;
		card.show(it);
		chart.show(samples);
		facts(find("#queue-facts", root), name, it);
	}, signal);
	find("#queue-orders", root).href = hashOf("orders", [["status", "pending"], ["queue", name]]);
	every(pause, signal, async () => {
		await Promise.allSettled([who(name, root, signal), corrupt(name, root, signal)]);
	});
}

function facts(place, name, it) {
	const rows = {
		"Oldest waiting": it.oldest_pending_seconds ? `for ${duration(1000 * it.oldest_pending_seconds)}` : "none waits",
		Weight: it.weight ? `${it.weight}: how often a free worker looks here first, in proportion` : "",
		"Refuses new orders": `above ${it.memory_percent} % of the memory of Redis`,
		"Kept by Asynq": `${count(it.archived)} tasks of orders that failed`,
	};
	if (!place.children.length) place.append(...Object.keys(rows).filter((key) => rows[key]).map((key) => make("div", {}, make("dt", {}, key), make("dd"))));
	[...place.children].forEach((row) => say(row.lastChild, rows[row.firstChild.textContent]));
}

/** who says who paused or resumed the queue last. */
async function who(name, root, signal) {
	const place = find("#queue-who", root);
	try {
		const answers = await Promise.all(["pause", "resume"].map((step) => get(`/audit?${new URLSearchParams({ action: `queue.${step}`, target: name, limit: 1 })}`, { signal })));
		const [last] = answers.flatMap(({ entries }) => entries).sort((a, b) => new Date(b.at) - new Date(a.at));
		place.replaceChildren(...(last ? [`${last.action === "queue.pause" ? "Paused" : "Resumed"} ${decider(last.actor)} `, when(last.at), last.reason ? `: ${visible(last.reason)}` : ""] : []));
	} catch {
		place.replaceChildren(); // an API without an audit
	}
}

async function corrupt(name, root, signal) {
	const { tasks } = await get(`/queues/${encodeURIComponent(name)}/corrupt`, { signal });
	const place = find("#queue-corrupt", root);
	show(find("#queue-corrupt-card", root), true);
	if (!tasks.length) return place.replaceChildren(make("p", { class: "note" }, "None has been found."));
	return place.replaceChildren(make("ul", { class: "work" }, ...tasks.map(({ order_id: id, found_at: at, message }) => make("li", {},
		id ? orderLink(id) : "no order", " found ", when(at), make("pre", { tabindex: "0" }, visible(textOf(message)).slice(0, most))))));
}

/** textOf is the text of bytes in base64, or the base64 if they are none. */
function textOf(message) {
	try {
		return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(atob(message), (c) => c.charCodeAt(0)));
	} catch {
		return message;
	}
}
