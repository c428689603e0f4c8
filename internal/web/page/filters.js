// The filters of orders: a form, what is set as chips, and the query that they make.

import { all, find, make, show } from "./dom.js";

const statuses = "scheduled pending held processing priority_processing expedited retrying completed rejected failed cancelled".split(" ");
/** fields are the filters by their names in the API: in words, and the values there are or the attributes of the field. */
const fields = {
	status: ["status", statuses], customer: ["customer", { maxlength: 254 }], id_prefix: ["id begins with", { maxlength: 128 }], error_contains: ["error contains", { maxlength: 200 }],
	queue: ["queue", ["critical", "default", "low"]], handling: ["handling", ["standard", "priority", "expedited"]], tag: ["tag"], error_fingerprint: ["errors alike"],
	amount_min: ["amount from", { inputmode: "decimal" }], amount_max: ["amount to", { inputmode: "decimal" }], currency: ["currency", { maxlength: 3 }], country: ["country", { maxlength: 2 }],
	created_from: ["accepted from", { type: "datetime-local" }], created_to: ["accepted before", { type: "datetime-local" }],
	settled_from: ["settled from", { type: "datetime-local" }], settled_to: ["settled before", { type: "datetime-local" }], metadata: ["metadata", { placeholder: "key=value" }],
};
/** common is how many of them are always shown. */
const common = 4;
const metadata = "metadata.";
const times = /_(from|to)$/;
const upper = /^(currency|country)$/;

const isFilter = (name) => Object.hasOwn(fields, name) || name.startsWith(metadata);
const nameOf = (name) => fields[name]?.[0] ?? name.slice(metadata.length);

/** filterOf is the part of a query that filters: pairs of names and values. */
export const filterOf = (query) => [...query].filter(([name, value]) => value && isFilter(name));

/** asObject is a filter as a job has it. */
export function asObject(filter) {
	const object = {};
	for (const [name, value] of filter) {
		if (name.startsWith(metadata)) (object.metadata ??= {})[name.slice(metadata.length)] = value;
		else object[name] = name.startsWith("amount_") ? Number(value) : value;
	}
	return object;
}

/** asQuery is the filter of a job as a query. */
export const asQuery = (object) => Object.entries(object ?? {}).flatMap(([name, value]) =>
	(name === "metadata" ? Object.entries(value).map(([key, text]) => [metadata + key, text]) : [[name, String(value)]]));

/** wordsOf says a filter in words. */
export function wordsOf([name, value]) {
	if (times.test(name)) value = new Date(value).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
	return `${nameOf(name)}: ${name === "status" ? value.replaceAll("_", " ") : value}`;
}

/** local and universal turn a time of the API into one of a field, and back. */
const local = (text) => {
	const at = new Date(text);
	return Number.isNaN(at.getTime()) ? "" : new Date(at - 60_000 * at.getTimezoneOffset()).toISOString().slice(0, 16);
};
const universal = (text) => (text ? new Date(text).toISOString() : "");

/** choice is a field to choose one of the values. */
export const choice = (values, attributes) => make("select", attributes, make("option", { value: "" }, "any"), ...values.map((value) => make("option", { value }, value.replaceAll("_", " "))));

function fieldOf([name, [words, kind = {}]]) {
	const attributes = { id: `q-${name}`, name, autocomplete: "off" };
	return make("div", { class: "field" }, make("label", { for: attributes.id }, words[0].toUpperCase() + words.slice(1)),
		Array.isArray(kind) ? choice(kind, attributes) : make("input", { spellcheck: "false", ...attributes, ...kind }));
}

/** Filters is the form; it calls back with the pairs of a new filter. */
export class Filters {
	constructor(root, changed) {
		Object.assign(this, { root, changed, form: find("#filters", root), chips: find("#chips", root), more: find("#filters-more", root), extra: [] });
		const made = Object.entries(fields).map(fieldOf);
		this.form.prepend(...made.slice(0, common));
		this.more.lastElementChild.append(...made.slice(common));
		this.form.addEventListener("submit", (event) => {
			event.preventDefault();
			this.apply();
		});
		this.form.addEventListener("change", () => this.apply());
	}

	/** show fills the form with the filter of an address. */
	show(filter) {
		const set = Object.fromEntries(filter);
		this.extra = filter.filter(([name]) => name.startsWith(metadata));
		for (const field of all("[name]", this.form)) {
			const value = set[field.name] ?? "";
			if (field !== document.activeElement || !value) field.value = times.test(field.name) ? value && local(value) : value;
			field.removeAttribute("aria-invalid");
			if (value && this.more.contains(field)) this.more.open = true;
		}
		if (this.extra.length) this.more.open = true;
		this.chips.replaceChildren(...filter.map((pair) => this.chip(pair, filter)), filter.length > 1 ? this.clearing() : "");
		show(this.chips, filter.length > 0);
	}

	chip(pair, filter) {
		const words = wordsOf(pair);
		const chip = make("button", { type: "button", class: "chip", "data-chip": pair[0], "aria-label": `Remove the filter ${words}` }, words, make("span", { "aria-hidden": "true" }, "×"));
		chip.addEventListener("click", () => this.put(filter.filter((other) => other !== pair)));
		return chip;
	}

	clearing() {
		const button = make("button", { type: "button", class: "chip", id: "clear-filters" }, "Clear all");
		button.addEventListener("click", () => this.put([]));
		return button;
	}

	put(filter) {
		this.changed(filter);
		find("select, input", this.form).focus();
	}

	apply() {
		const pairs = all("[name]", this.form).filter(({ name }) => name !== "metadata").map(({ name, value }) => {
			const text = value.trim();
			return [name, times.test(name) ? universal(text) : upper.test(name) ? text.toUpperCase() : text];
		});
		const [, key, value] = /^\s*([^=\s]+)\s*=\s*(.+?)\s*$/.exec(this.form.elements.metadata.value) ?? [];
		const extra = key ? [...this.extra.filter(([name]) => name !== metadata + key), [metadata + key, value]] : this.extra;
		this.changed([...pairs, ...extra].filter(([, text]) => text));
	}

	/** refuse marks the fields that the API refuses, and returns what it says about them. */
	refuse({ message, problem }) {
		const errors = problem?.errors ?? [];
		for (const { field } of errors) this.form.elements.namedItem(field)?.setAttribute("aria-invalid", "true");
		return errors.length ? errors.map(({ field, message: words }) => `${fields[field]?.[0] ?? field} ${words}`).join("; ") : message;
	}
}
