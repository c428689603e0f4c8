// A table of items that keeps its rows while they stay the same.

import { all, find, make, mark } from "./dom.js";

/** faint is how many lines stand for rows that are not loaded yet. */
const faint = 6;

/**
 * Table shows items by columns: of a key, a name, a cell function that returns what is in
 * the cell, and if it can be sorted by, a function by that returns what is compared. It is
 * a list of cards on narrow pages.
 */
export class Table {
	constructor(place, { caption, columns, keyOf, boxes, sorted }) {
		Object.assign(this, { columns, keyOf, boxes, sorted, rows: new Map(), items: [] });
		this.body = make("tbody", {}, ...Array.from({ length: faint }, () => make("tr", { class: "skeleton", "aria-hidden": "true" }, make("td", { colspan: String(columns.length + (boxes ? 1 : 0)) }, make("span")))));
		this.heads = columns.map((column) => this.head(column));
		this.every = boxes && tickBox("Select all on this page", (ticked) => boxes.every(ticked));
		// The roles stay when a narrow page lays the rows out as cards.
		place.replaceChildren(make("table", { class: "list", role: "table" }, make("caption", { class: "hidden" }, caption),
			make("thead", {}, make("tr", { role: "row" }, this.every && make("th", { role: "columnheader", class: "tick-cell" }, this.every.label), ...this.heads)), this.body));
	}

	head({ key, name, by, number }) {
		const head = make("th", { scope: "col", role: "columnheader", "data-cell": key, class: number && "number" }, by && this.sorted ? "" : name);
		if (!by || !this.sorted) return head;
		const button = make("button", { type: "button", class: "sort", "data-sort": key }, name);
		button.addEventListener("click", () => this.sorted(this.order === key ? `-${key}` : this.order === `-${key}` ? "" : key));
		head.append(button);
		return head;
	}

	/** show shows the items, in the order of the column that is named, backwards after a -. */
	show(items, order = "") {
		Object.assign(this, { items, order });
		const focused = [...this.rows.values()].find((row) => row.contains(document.activeElement));
		const rows = new Map(this.arranged().map((item) => [this.keyOf(item), this.rowOf(item)]));
		for (const [key, row] of this.rows) if (rows.get(key) !== row) row.remove();
		for (const line of all(".skeleton", this.body)) line.remove();
		[...rows.values()].forEach((row, i) => {
			if (this.body.children[i] !== row) this.body.insertBefore(row, this.body.children[i] ?? null);
		});
		if (focused?.isConnected && !focused.contains(document.activeElement)) (find("a", focused) ?? focused).focus(); // its cell was replaced
		this.rows = rows;
		this.columns.forEach(({ key }, i) => {
			if (order.replace("-", "") === key) mark(this.heads[i], "aria-sort", order.startsWith("-") ? "descending" : "ascending");
			else this.heads[i].removeAttribute("aria-sort");
		});
		this.tick();
	}

	arranged() {
		const column = this.columns.find(({ key }) => key === this.order.replace("-", ""));
		if (!column) return this.items;
		const sign = this.order.startsWith("-") ? -1 : 1;
		return this.items.toSorted((a, b) => sign * compare(column.by(a), column.by(b)));
	}

	/** rowOf is the row of an item, of which only the cells change that differ. */
	rowOf(item) {
		const content = JSON.stringify(item), key = this.keyOf(item);
		let row = this.rows.get(key);
		if (row?.content === content) return row;
		const cells = this.columns.map(({ key: cell, name, number, cell: write }) => make("td", { role: "cell", "data-cell": cell, "data-name": name, class: number && "number" }, ...[write(item)].flat()));
		if (row) {
			cells.forEach((cell, i) => {
				if (!row.written[i].isEqualNode(cell)) row.written[i].replaceWith(cell);
				else cells[i] = row.written[i];
			});
		} else {
			const box = this.boxes && tickBox(`Select ${key}`, (ticked, range) => this.boxes.one(key, ticked, range));
			row = Object.assign(make("tr", { role: "row", "data-key": key, tabindex: "-1" }, box && make("td", { role: "cell", class: "tick-cell" }, box.label), ...cells), { box: box?.input });
		}
		return Object.assign(row, { content, written: cells });
	}

	/** tick shows which rows are selected. */
	tick() {
		if (!this.boxes) return;
		for (const [key, row] of this.rows) {
			row.box.checked = this.boxes.has(key);
			mark(row, "data-selected", String(row.box.checked));
		}
		const ticked = [...this.rows.values()].filter((row) => row.box.checked).length;
		this.every.input.checked = ticked > 0 && ticked === this.rows.size;
		this.every.input.indeterminate = ticked > 0 && ticked < this.rows.size;
	}

	/** keys are those of the rows from top to bottom. */
	keys() { return [...this.rows.keys()]; }
}

function compare(a, b) {
	if (a === b) return 0;
	if (a === undefined || b === undefined) return a === undefined ? 1 : -1;
	return a < b ? -1 : 1;
}

/** tickBox is a box that calls back when it is ticked or cleared; range if the key Shift is held down. */
function tickBox(name, changed) {
	const input = make("input", { type: "checkbox", "aria-label": name });
	input.addEventListener("click", (event) => changed(input.checked, event.shiftKey));
	return { input, label: make("label", { class: "tick" }, input) };
}

/** progress is a bar that is filled to a part between 0 and 1. */
export function progress(name) {
	const fill = make("span"), bar = make("div", { class: "meter", role: "progressbar", "aria-label": name, "aria-valuemin": "0", "aria-valuemax": "100" }, fill);
	return {
		bar,
		show: (part, words) => {
			const percent = Math.round(100 * Math.min(1, part));
			fill.style.width = `${percent}%`;
			mark(bar, "aria-valuenow", String(percent));
			mark(bar, "aria-valuetext", words ?? `${percent} %`);
		},
	};
}
