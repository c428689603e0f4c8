// Building and changing elements. Texts from outside are set as text, never as markup,
// and pass through visible.

import { ago, moment } from "./format.js";

/** find returns the first element below root that matches. */
export const find = (selector, root = document) => root.querySelector(selector);

/** all returns every element below root that matches. */
export const all = (selector, root = document) => [...root.querySelectorAll(selector)];

/** visible escapes control characters, including those of direction, and line separators. */
export const visible = (text) => text.replace(/(?![\n\t])[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu,
	(c) => `\\u${c.charCodeAt().toString(16).padStart(4, "0")}`);

const shown = (part) => (typeof part === "string" ? visible(part) : part);

/**
 * make returns a new element. Attributes that are false or undefined are left out, and so
 * are children that are null, undefined, false or empty.
 */
export function make(tag, attributes = {}, ...children) {
	const element = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) {
		if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
	}
	element.append(...children.filter((child) => child !== undefined && child !== null && child !== false && child !== "").map(shown));
	return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** draw returns a new element of a drawing. */
export function draw(tag, attributes = {}, text = "") {
	const element = document.createElementNS(SVG, tag);
	for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
	if (text) element.textContent = visible(text);
	return element;
}

/** say sets a text if it differs. */
export function say(element, text) {
	text = visible(text);
	if (element.textContent !== text) element.textContent = text;
}

/** show hides an element, or shows it. */
export function show(element, visible) {
	if (element.hidden === visible) element.hidden = !visible;
}

/** mark sets an attribute if it differs. */
export function mark(element, name, value) {
	if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** lasting is how long a message is shown, and fresh how long a success stays at least, in ms. */
const lasting = { good: 60_000, bad: 300_000 };
const fresh = 10_000;

/** notify shows a message in a region, for a while or until it is cleared or outdated. */
export function notify(region, level, ...parts) {
	region.dataset.level = level;
	region.dataset.at = Date.now();
	region.replaceChildren(...parts.map(shown));
}

/** clear removes the message of a region. */
export function clear(region) {
	if (region.firstChild) region.replaceChildren();
}

/** outdate clears the messages of success below root, except the youngest. */
export function outdate(root, youngest = fresh) {
	for (const region of all(".result[data-level=good]", root)) {
		if (Date.now() - region.dataset.at >= youngest) clear(region);
	}
}

/**
 * when is a time: local with its zone, how long ago, and in UTC; due for the future, exact
 * with milliseconds, brief without the local time.
 */
export function when(text, { due, exact, brief } = {}) {
	const element = make("time", { datetime: text, title: text, "data-due": due, "data-exact": exact, "data-brief": brief });
	pass(element);
	return element;
}

function pass(element) {
	const date = new Date(element.dateTime);
	const { due, exact, brief } = element.dataset;
	const gap = Date.now() - date;
	const distance = ago(due === undefined ? Math.max(0, gap) : gap);
	say(element, brief === undefined ? `${moment(date, exact !== undefined)} · ${distance}` : distance);
}

setInterval(() => {
	if (document.hidden) return;
	for (const element of all("time")) pass(element);
	for (const region of all(".result")) {
		if (Date.now() - region.dataset.at > lasting[region.dataset.level]) clear(region);
	}
}, 1000);

/** pill shows a status in its colour and in words. */
export function pill(status) {
	const element = make("span", { class: "pill" });
	setPill(element, status);
	return element;
}

/** setPill changes the status that a pill shows. */
export function setPill(element, status) {
	mark(element, "data-status", status);
	say(element, status.replaceAll("_", " "));
}

/** orderLink links to the page of an order. */
export function orderLink(id) {
	return make("a", { class: "id", href: `#/orders/${encodeURIComponent(id)}` }, id);
}
