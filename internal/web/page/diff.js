// The lines that two texts have in common, and those that they do not.

import { make } from "./dom.js";
import { many } from "./format.js";

/** most bounds the work of a comparison, in pairs of lines: above it, what differs is replaced as a whole. */
const most = 4_000_000;

/** diff returns the lines of both texts in turn, each with " ", "−" of before, or "+" of after. */
export function diff(before, after) {
	const [a, b] = [before, after].map((text) => text.replace(/\n$/, "").split("\n"));
	let first = 0, last = 0;
	while (first < Math.min(a.length, b.length) && a[first] === b[first]) first++;
	while (last < Math.min(a.length, b.length) - first && a.at(-1 - last) === b.at(-1 - last)) last++;
	const same = (lines) => lines.map((line) => [" ", line]);
	return [...same(a.slice(0, first)), ...between(a.slice(first, a.length - last), b.slice(first, b.length - last)), ...same(a.slice(a.length - last))];
}

/** between compares by the longest common subsequence. */
function between(a, b) {
	const width = b.length + 1;
	const common = new Uint16Array(a.length * b.length > most ? 0 : (a.length + 1) * width); // of what follows two lines
	if (common.length) {
		for (let i = a.length - 1; i >= 0; i--) {
			for (let j = b.length - 1; j >= 0; j--) {
				const at = i * width + j;
				common[at] = a[i] === b[j] ? common[at + width + 1] + 1 : Math.max(common[at + width], common[at + 1]);
			}
		}
	}
	const lines = [];
	let i = 0, j = 0;
	while (i < a.length || j < b.length) {
		if (common.length && i < a.length && j < b.length && a[i] === b[j]) {
			lines.push([" ", a[i++]]);
			j++;
		} else if (i < a.length && (j === b.length || !common.length || common[(i + 1) * width + j] >= common[i * width + j + 1])) lines.push(["−", a[i++]]);
		else lines.push(["+", b[j++]]);
	}
	return lines;
}

const tags = { " ": "span", "−": "del", "+": "ins" };

/** diffView shows how a text differs from another one. */
export function diffView(before, after) {
	const lines = diff(before, after);
	const number = (sign) => lines.filter(([mark]) => mark === sign).length;
	const words = lines.some(([mark]) => mark !== " ") ? `${many(number("+"), "line")} added, ${many(number("−"), "line")} removed.` : "No line differs.";
	return [make("p", { class: "note", role: "status" }, words), make("pre", { class: "diff", tabindex: "0" }, ...lines.map(([mark, line]) => make(tags[mark], {}, `${mark} ${line}\n`)))];
}
