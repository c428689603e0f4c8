// The keys of the page: those that work everywhere, and those of the view that is shown.

import { visit } from "./address.js";
import { confirm } from "./dialog.js";
import { all, find, make } from "./dom.js";

/** places are where g and a further key go. */
const places = {
	h: ["", "the overview"], o: ["orders", "orders"], f: ["failures", "failures"], r: ["review", "review"], w: ["workers", "workers"],
	j: ["jobs", "jobs"], a: ["audit", "audit"], u: ["rules", "rules"], s: ["submit", "submit"],
};
/** patience is how long g waits for the further key, in ms. */
const patience = 1500;
/** off is the name under which a browser keeps that keys are not wanted. */
const off = "orders.keys.off";

let view = { keys: {}, help: [] };
let begun = 0; // when g was pressed

/**
 * useKeys gives a view its keys until the signal ends: by their names, functions that get
 * the element with the focus, and return false if the key means nothing there. Those of
 * which the name is in again also act while the key is held down.
 */
export function useKeys(keys, help, signal, again = ["j", "k", "ArrowDown", "ArrowUp"]) {
	view = { keys, help, again };
	signal.addEventListener("abort", () => { if (view.keys === keys) view = { keys: {}, help: [] }; }, { once: true });
}

/**
 * listKeys are the keys of a list of the rows that the selector finds below root: j and k
 * move the focus to the first link of a row, or to the row, and x ticks its box.
 */
export function listKeys(root, selector) {
	const at = () => all(selector, root).findIndex((row) => row.contains(document.activeElement));
	const move = (by) => {
		const rows = all(selector, root), from = at();
		const row = rows[from < 0 ? 0 : Math.min(Math.max(from + by, 0), rows.length - 1)];
		if (!row) return false;
		(find("a", row) ?? row).focus();
		return undefined;
	};
	const tick = () => {
		const box = find("input[type=checkbox]", all(selector, root)[at()] ?? make("i"));
		box?.click();
		return Boolean(box);
	};
	return { j: () => move(1), k: () => move(-1), x: tick };
}

/** listHelp says what the keys of a list do. */
export const listHelp = (ticked) => [["j", "the next one"], ["k", "the one before"], ["Enter", "open it"], ...(ticked ? [["x", "select it"]] : [])];

const typing = (at) => at.closest("textarea, select, [contenteditable], input:not([type=checkbox], [type=radio])");

function press(event) {
	const { target: at, key } = event;
	if (event.ctrlKey || event.metaKey || event.altKey || find("#dialog").open || typing(at)) return;
	if (key !== "?" && localStorage.getItem(off)) return;
	const going = Date.now() - begun < patience && places[key];
	begun = 0;
	if (going) return act(event, () => visit(`#/${going[0]}`));
	if (key === "g") begun = Date.now();
	else if (key === "/") act(event, () => find("#search-id").focus());
	else if (key === "?") act(event, help);
	else if (view.keys[key] && (at === document.body || at.closest("main"))) act(event, () => view.keys[key](at), view.again.includes(key));
}

function act(event, then, again = false) {
	if (event.repeat && !again) return event.preventDefault();
	if (then() !== false) event.preventDefault(); // or the letter is typed into what has the focus now
	return undefined;
}

function help() {
	const list = (rows) => make("dl", { class: "pairs" }, ...rows.map(([key, words]) => make("div", {}, make("dt", {}, make("kbd", {}, key)), make("dd", {}, words))));
	const box = make("input", { type: "checkbox", id: "keys-on", checked: !localStorage.getItem(off) });
	box.addEventListener("change", () => (box.checked ? localStorage.removeItem(off) : localStorage.setItem(off, "yes")));
	confirm({
		title: "Keys", yes: "Close", no: "",
		body: [
			view.help.length > 0 && make("h3", {}, "Here"), view.help.length > 0 && list(view.help), make("h3", {}, "Everywhere"),
			list([["/", "find an order"], ["?", "these keys"], ...Object.entries(places).map(([key, [, words]]) => [`g ${key}`, words])]),
			make("label", { class: "tick", for: box.id }, box, "These keys are on"),
		].filter(Boolean),
	});
}

document.addEventListener("keydown", press);
find("#keys").addEventListener("click", help);
