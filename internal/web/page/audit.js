// The audit: who did what to what, when and why.

import { hashOf, visit } from "./address.js";
import { get } from "./client.js";
import { all, clear, find, make, notify, orderLink, show, when } from "./dom.js";
import { versionLink } from "./decision.js";
import { listHelp, listKeys, useKeys } from "./keys.js";
import { Pager } from "./pager.js";
import { Table } from "./table.js";

/** size is how many entries a page has. */
const size = 50;
const filters = ["actor", "action", "target"];
const actions = "order.cancel order.retry order.release order.reject queue.pause queue.resume rules.push rules.activate rules.shadow rules.end_shadow job.create job.stop job.pause job.resume customer.erase monitoring.write".split(" ");

/** targetOf links to what was acted on. */
function targetOf({ action, target }) {
	if (!target) return "–";
	const kind = action.split(".")[0];
	if (kind === "order") return orderLink(target);
	if (kind === "rules") return versionLink(target);
	if (kind === "queue" || kind === "job") return make("a", { href: `#/${kind}s/${encodeURIComponent(target)}` }, target);
	return target;
}

const columns = [
	{ key: "at", name: "When", cell: ({ at }) => when(at) },
	{ key: "actor", name: "Actor", cell: ({ actor }) => actor },
	{ key: "action", name: "Action", cell: ({ action }) => make("span", { class: "id" }, action) },
	{ key: "target", name: "What", cell: targetOf },
	{ key: "reason", name: "Reason", cell: ({ reason }) => reason },
];

/** audit shows the view until the signal ends. */
export function audit(root, { query, signal }) {
	const table = new Table(find("#entries", root), { caption: "Audit, newest first", columns, keyOf: ({ id }) => id });
	const pager = new Pager(find("#audit-pages", root), "audit"), form = find("#audit-filter", root), fault = find("#audit-fault", root);
	const apply = (event) => {
		event.preventDefault();
		visit(hashOf("audit", filters.map((name) => [name, form.elements[name].value.trim()])));
	};
	find("[name=action]", form).append(make("option", { value: "" }, "any"), ...actions.map((action) => make("option", {}, action)));
	form.addEventListener("submit", apply);
	form.addEventListener("change", apply);
	find("#audit-clear", root).addEventListener("click", () => visit("#/audit"));
	useKeys(listKeys(root, "#entries tbody tr"), listHelp(), signal);
	let loading;
	const turn = async (now) => {
		loading?.abort();
		loading = new AbortController();
		for (const field of all("[name]", form)) field.value = now.get(field.name) ?? "";
		show(find("#audit-clear", root), filters.some((name) => now.get(name)));
		const wanted = [...filters, "cursor"].map((name) => [name, now.get(name)]).filter(([, value]) => value);
		try {
			const { entries, next_cursor: cursor } = await get(`/audit?${new URLSearchParams([["limit", size], ...wanted])}`, { signal: AbortSignal.any([signal, loading.signal]) });
			table.show(entries);
			pager.show(now, cursor);
			show(find("#entries", root), entries.length > 0);
			show(find("#audit-none", root), entries.length === 0);
			clear(fault);
		} catch (refusal) {
			if (signal.aborted || refusal.name === "AbortError") return;
			table.show([]);
			show(find("#entries", root), false);
			notify(fault, "bad", `The audit cannot be read. ${refusal.message}`);
		}
	};
	turn(query);
	return turn;
}
