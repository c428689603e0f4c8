// Actions on many orders: on all that match as a job of the server, and on rows one by one.

import { get, newKey, orderPath, post } from "./client.js";
import { confirm, reasonField } from "./dialog.js";
import { clear, find, make, notify, orderLink, say } from "./dom.js";
import { asObject, wordsOf } from "./filters.js";
import { count, many } from "./format.js";
import { progress } from "./table.js";

/** actionNames are the actions, as buttons have them. */
export const actionNames = { retry: "Retry", cancel: "Cancel", release: "Release", reject: "Reject" };
/** doneNames are what orders are after an action. */
export const doneNames = { retry: "retried", cancel: "cancelled", release: "released", reject: "rejected", erase: "erased" };

const statuses = {
	retry: ["failed", "rejected"], cancel: ["scheduled", "pending", "held", "retrying"], release: ["held"], reject: ["held"],
};
const effects = {
	retry: "The rules decide about each again, and the count of its attempts starts again.", cancel: "Cancelled orders never take effect. One of which an attempt has begun is left alone.",
	release: "Released orders are worked as soon as a worker is free.", reject: "Rejected orders never reach the shop.",
};
const dangers = ["cancel", "reject"];
/** poll is how often a count is read, in ms. */
const poll = 400;

/** fits reports whether an action does something to orders with a status. */
export const fits = (action, status) => statuses[action].includes(status);

/** paces are the bounds of a job, each with what it means. */
const paces = {
	limit: ["At most", "orders in all"], per_second: ["Pace", "orders a second"],
	stop_after_failures: ["Stop after", "orders that fail again"], canary: ["Try first", "orders, and go on if none fails"],
};

const why = (action) => reasonField({ name: "act", most: 200, required: action === "reject", label: `Reason, kept with the orders and in the audit${action === "reject" ? "" : " (optional)"}` });

function paceFields(action) {
	const fields = Object.entries(paces).filter(([name]) => action === "retry" || name === "limit" || name === "per_second").map(([name, [before, after]]) => make("div", { class: "pace" },
		make("label", { for: `act-${name}` }, before), make("input", { id: `act-${name}`, name, type: "number", min: "1", step: "1", inputmode: "numeric" }), make("span", { class: "note" }, after)));
	return make("details", {}, make("summary", {}, "Pace and safety"), ...fields);
}

/**
 * act counts the orders that match, asks, and starts the job. It resolves to the id of the
 * job, or to null if there is none.
 */
export async function act(action, filter, signal) {
	const name = actionNames[action], [label, reason] = why(action), pace = paceFields(action);
	const number = make("p", { class: "words", id: "act-count", role: "status" }, "Counting …"), fault = make("p", { class: "result", role: "alert" });
	const about = filter.length ? make("ul", { class: "chips" }, ...filter.map((pair) => make("li", { class: "chip" }, wordsOf(pair)))) : make("p", {}, "No filter is set: this is about all orders.");
	const counting = new AbortController();
	const question = confirm({ title: `${name} all that match?`, yes: name, danger: dangers.includes(action), body: [number, about, effects[action], label, reason, pace, fault] });
	const yes = find("#dialog-yes");
	yes.disabled = true;
	tally(action, filter, number, AbortSignal.any([signal, counting.signal])).then(
		(matched) => {
			say(number, matched ? `${many(matched, "order matches", "orders match")}.` : "No order matches.");
			say(yes, matched ? `${name} ${many(matched, "order")}` : name);
			yes.disabled = !matched;
		},
		(refusal) => {
			if (counting.signal.aborted || signal.aborted) return;
			say(number, "It is not known how many match.");
			notify(fault, "bad", jobFault(refusal));
		},
	);
	const sure = await question;
	counting.abort();
	yes.disabled = false;
	if (!sure || signal.aborted) return null;
	const bounds = Object.fromEntries([...pace.querySelectorAll("input")].filter(({ value }) => value).map(({ name: key, value }) => [key, Number(value)]));
	return start({ action, filter: asObject(filter), reason: reason.value.trim() || undefined, ...bounds });
}

/** start creates the job, once however often it has to be asked. */
async function start(job) {
	const options = { headers: { "Idempotency-Key": newKey() } };
	try {
		return (await post("/jobs", job, options).catch((refusal) => {
			if (refusal.status) throw refusal;
			return post("/jobs", job, options); // the answer was lost
		})).id;
	} catch (refusal) {
		await confirm({ title: "It was not started", yes: "Close", no: "", body: [jobFault(refusal)] });
		return null;
	}
}

/** jobFault says why there is no job. */
export function jobFault(refusal) {
	const errors = refusal.problem?.errors?.map(({ field, message }) => `${field} ${message}`).join("; ");
	return errors ? `${errors}.` : refusal.message;
}

/** tally counts the orders that match, as a job that changes none. */
async function tally(action, filter, number, signal) {
	const { id } = await post("/jobs", { action, filter: asObject(filter), dry_run: true }, { signal });
	let counting = true;
	signal.addEventListener("abort", () => { if (counting) post(`/jobs/${id}/stop`).catch(() => {}); }, { once: true }); // nobody waits for it
	for (;;) {
		const job = await get(`/jobs/${id}`, { signal });
		counting = job.state === "counting";
		if (job.state === "failed") throw Object.assign(new Error(job.error ?? "They could not be counted."), { status: 0 });
		if (!counting) return job.matched;
		say(number, job.matched ? `Counting: ${count(job.matched)} so far …` : "Counting …");
		await new Promise((then) => setTimeout(then, poll));
	}
}

/** actOnRows asks, acts on the orders one by one, and says in the place how far it is. */
export async function actOnRows(action, ids, place, signal) {
	clear(place);
	const parts = action === "retry" ? [] : why(action);
	const sure = await confirm({
		title: `${actionNames[action]} ${ids.length === 1 ? ids[0] : many(ids.length, "selected order")}?`, yes: actionNames[action], danger: dangers.includes(action),
		body: [effects[action], ...parts],
	});
	if (!sure) return;
	const text = parts[1]?.value.trim(), body = text ? { reason: text } : undefined;
	const meter = progress("Orders done"), words = make("span"), faults = [];
	notify(place, "good", words, meter.bar);
	let done = 0;
	for (const id of ids) {
		if (signal.aborted) return; // another view is shown
		say(words, `${count(done + faults.length)} of ${many(ids.length, "order")} …`);
		try {
			await patiently(() => post(orderPath(id, `/${action}`), body, { signal }));
			done++;
		} catch (refusal) {
			if (signal.aborted) return;
			faults.push([id, refusal]);
			if (refusal.status === 401 || refusal.status === 403 || refusal.status === 0) break; // it would be the same for each
		}
		meter.show((done + faults.length) / ids.length);
	}
	const summary = `${many(done, "order is", "orders are")} ${doneNames[action]}.`;
	if (!faults.length) return notify(place, "good", summary);
	return notify(place, "bad", done ? `${summary} ` : "", make("ul", {}, ...faults.slice(0, 5).map(([id, { message }]) => make("li", {}, orderLink(id), ` was not ${doneNames[action]}. ${message}`)),
		faults.length > 5 && make("li", {}, `and ${count(faults.length - 5)} more`)));
}

/** patiently waits when the rate limit is used up. */
async function patiently(send) {
	for (let tries = 0; ; tries++) {
		try {
			return await send();
		} catch (refusal) {
			if (refusal.status !== 429 || tries > 5) throw refusal;
			await new Promise((then) => setTimeout(then, 1000 * Math.max(1, refusal.retryAfter)));
		}
	}
}
