// The end of a hold by a person: what is asked first, and what is said afterwards.

import { orderPath, post } from "./client.js";
import { askWhy } from "./dialog.js";
import { make } from "./dom.js";

const ends = {
	release: {
		label: "Release …", key: "r", yes: "Release it", body: ["It is worked as soon as a worker is free."], reason: "Reason, kept with the order (optional)",
		done: "is released.", undone: "was not released.",
	},
	reject: {
		label: "Reject …", key: "x", yes: "Reject it", body: ["It never reaches the shop."], reason: "Reason, kept with the order", required: true, danger: true,
		done: "is rejected.", undone: "was not rejected.",
	},
};

/** endWords are what to say of an order when the step succeeded or did not. */
export const endWords = (step) => ends[step];

/** askEnd asks whether to release or reject an order. It resolves to the body of the request, or null. */
export function askEnd(step, id) {
	const { yes, body, reason, required, danger } = ends[step];
	return askWhy({ name: step, title: `${yes.replace(" it", "")} ${id}?`, yes, body, label: reason, required, danger });
}

/** end releases or rejects an order. */
export const end = (step, id, body) => post(orderPath(id, `/${step}`), Object.keys(body).length ? body : undefined);

/** endButtons are the buttons that release and reject, with their keys if those work. */
export function endButtons(act, keys = false) {
	return Object.entries(ends).map(([step, { label, key }]) => {
		const button = make("button", { type: "button", "data-action": step, class: step === "release" && "primary", "aria-keyshortcuts": keys && key },
			label, keys && make("kbd", { "aria-hidden": "true" }, key));
		button.addEventListener("click", () => act(step));
		return button;
	});
}

/** decider says who ended the hold of an order, as in "by ada"; empty if nobody did. */
export const decider = (actor) => (actor === "expiry" ? "as its hold expired" : actor ? `by ${actor}` : "");
