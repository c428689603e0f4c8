// The jobs, newest first.

import { get } from "./client.js";
import { clear, find, make, notify, show, when } from "./dom.js";
import { count } from "./format.js";
import { jobPill, outcomeOf, titleOf } from "./job.js";
import { listHelp, listKeys, useKeys } from "./keys.js";
import { every } from "./poll.js";
import { Table } from "./table.js";

/** pause is the time between two readings, in ms. */
const pause = 2000;

const columns = [
	{ key: "state", name: "State", cell: jobPill },
	{ key: "job", name: "Job", cell: (job) => make("a", { href: `#/jobs/${encodeURIComponent(job.id)}` }, titleOf(job)) },
	{ key: "matched", name: "Matched", number: true, cell: ({ matched }) => count(matched ?? 0) },
	{ key: "outcome", name: "Outcome", cell: (job) => (job.state === "counting" ? "–" : outcomeOf(job)) },
	{ key: "actor", name: "Actor", cell: ({ actor, reason }) => make("div", {}, actor ?? "–", reason && make("div", { class: "note clamp", title: reason }, reason)) },
	{ key: "age", name: "Started", number: true, cell: ({ created_at: at }) => when(at, { brief: true }) },
];

/** jobs shows the view until the signal ends. */
export function jobs(root, { query, signal }) {
	const table = new Table(find("#jobs", root), { caption: "Jobs, newest first", columns, keyOf: ({ id }) => id });
	const counts = find("#jobs-counts", root), fault = find("#jobs-fault", root);
	let list = [];
	const draw = () => {
		const wanted = list.filter((job) => counts.checked || !job.dry_run);
		table.show(wanted);
		show(find("#jobs", root), wanted.length > 0);
		show(find("#jobs-none", root), wanted.length === 0);
	};
	counts.addEventListener("change", draw);
	counts.checked = query.has("counts");
	useKeys(listKeys(root, "#jobs tbody tr"), listHelp(), signal);
	every(pause, signal, async () => {
		try {
			({ jobs: list } = await get("/jobs", { signal }));
			clear(fault);
			draw();
		} catch (refusal) {
			if (!signal.aborted) notify(fault, "bad", `The jobs cannot be read. ${refusal.message}`);
		}
	});
}
