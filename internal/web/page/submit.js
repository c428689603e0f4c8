// The form for a new order.

import { ask, newKey } from "./client.js";
import { all, clear, find, make, notify, orderLink, say } from "./dom.js";

/** number is how JSON writes a number. */
const number = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** submit shows the form until the signal ends. */
export function submit(root, { figures }) {
	const form = find("#submit", root);
	const result = find("#submit-result", root);
	const button = find("button[type=submit]", form);
	let key = newKey();
	form.addEventListener("input", () => { // other content is another order
		key = newKey();
		clear(result);
	});
	form.addEventListener("submit", async (event) => {
		event.preventDefault();
		if (button.disabled) return;
		clearErrors(form);
		const found = check(form);
		if (found.length) return refuse(form, result, found);
		button.disabled = true;
		try {
			const order = await ask("POST", "/orders", { body: bodyOf(form), headers: { "Idempotency-Key": key } });
			notify(result, "good", "The order ", orderLink(order.id), " is accepted.");
			form.reset();
			key = newKey();
			result.focus();
			figures.soon();
		} catch (refusal) {
			explain(form, result, refusal);
		}
		button.disabled = false;
	});
}

/** check finds amounts that JSON cannot express; the API checks the rest. */
function check(form) {
	const amount = form.elements.amount.value.trim();
	if (!amount) return [{ field: "amount", message: "is required" }];
	return number.test(amount) ? [] : [{ field: "amount", message: "must be a number, such as 49.90" }];
}

/** bodyOf writes the order as JSON, with the amount as typed: JavaScript would round it. */
function bodyOf(form) {
	const { amount, currency, items, customer, address, country, priority, notes, id, process_at: at } = form.elements;
	const members = {
		items: items.value.split("\n").map((item) => item.trim()).filter(Boolean),
		customer: customer.value.trim(), address: address.value.trim(), priority: Number(priority.value),
		...(currency.value.trim() && { currency: currency.value.trim().toUpperCase() }),
		...(country.value.trim() && { country: country.value.trim().toUpperCase() }),
		...(notes.value.trim() && { notes: notes.value.trim() }),
		...(id.value.trim() && { id: id.value.trim() }),
		...(at.value && { process_at: new Date(at.value).toISOString() }),
	};
	return `{"amount":${amount.value.trim()},${JSON.stringify(members).slice(1)}`;
}

function explain(form, result, refusal) {
	const errors = refusal.problem?.errors;
	if (errors?.length) return refuse(form, result, errors);
	const unsure = refusal.status === 0 || (refusal.status === 503 && refusal.problem?.type?.endsWith("redis-unavailable"));
	notify(result, "bad", unsure ? "It is not known whether the order was recorded. Send it again unchanged: it is accepted once, whatever happened." : refusal.message);
	result.focus();
}

/** refuse shows the problems at their fields, and focuses the first. */
function refuse(form, result, errors) {
	const others = [];
	for (const { field, message } of errors) {
		const input = form.elements.namedItem(field.replace(/\[.*/, ""));
		if (!input || input.tagName === "FIELDSET") others.push(`${field} ${message}.`);
		else complain(input, field === input.name ? message : `${field} ${message}`);
	}
	notify(result, "bad", others.length ? others.join(" ") : "The order is not accepted yet: see the fields.");
	(find("[aria-invalid=true]", form) ?? result).focus();
}

function complain(input, message) {
	const id = `${input.id}-error`;
	const error = find(`#${CSS.escape(id)}`) ?? make("p", { class: "error", id });
	say(error, error.textContent ? `${error.textContent}; ${message}` : message);
	input.after(error);
	input.setAttribute("aria-invalid", "true");
	input.setAttribute("aria-describedby", id);
}

function clearErrors(form) {
	for (const error of all(".error", form)) error.remove();
	for (const input of all("[aria-invalid]", form)) {
		input.removeAttribute("aria-invalid");
		input.removeAttribute("aria-describedby");
	}
}
