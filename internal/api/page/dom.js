// Building and changing elements. Texts from outside are only ever set as text,
// never read as markup.

/** find returns the first element below root that matches. */
export const find = (selector, root = document) => root.querySelector(selector);

/** all returns every element below root that matches. */
export const all = (selector, root = document) => [...root.querySelectorAll(selector)];

/**
 * make returns a new element. Attributes that are false or undefined are left
 * out; children are elements or texts, and those that are none are passed over.
 */
export function make(tag, attributes = {}, ...children) {
	const element = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) {
		if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
	}
	element.append(...children.filter((child) => child !== undefined && child !== null && child !== ""));
	return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** draw returns a new element of a drawing. */
export function draw(tag, attributes = {}, text = "") {
	const element = document.createElementNS(SVG, tag);
	for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
	if (text) element.textContent = text;
	return element;
}

/** say sets a text, and touches nothing when it is there already. */
export function say(element, text) {
	if (element.textContent !== text) element.textContent = text;
}

/** show hides an element, or shows it. */
export function show(element, visible) {
	if (element.hidden === visible) element.hidden = !visible;
}

/** mark sets an attribute, and touches nothing when it is so already. */
export function mark(element, name, value) {
	if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** tell shows what came of something. */
export function tell(place, level, ...parts) {
	place.dataset.level = level;
	place.replaceChildren(...parts);
}

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

/** orderLink leads to the page of an order. */
export function orderLink(id) {
	return make("a", { class: "id", href: `#/orders/${encodeURIComponent(id)}` }, id);
}
