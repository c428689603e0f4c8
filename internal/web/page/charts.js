// Line charts with axes, the newest value at each line, the values at a cursor that the
// pointer, a finger or the arrow keys move, and a table for screen readers.

import { draw, make, mark, say } from "./dom.js";
import { kept } from "./figures.js";
import { brief, counted, moment } from "./format.js";

const height = 180;
const margin = { top: 12, right: 68, bottom: 24, left: 50 };
/** broken is the time between two samples above which a line has a gap, in ms. */
const broken = 12_000;
/** labelGap is the least distance between two labels, in px. */
const labelGap = 14;
/** least is the smallest value at the top of a chart, so that half of it is whole. */
const least = 2;
/** quiet is how often the text for screen readers changes, in ms. */
const quiet = 15_000;
/** early is how long a chart explains why it is empty, in ms. */
const early = 20_000;
/** ticks are the marks of the time axis by the span in ms: the unit, how many ms it has, and every how many there is a mark. */
const ticks = { [kept]: ["min", 60_000, 1], 3_600_000: ["min", 60_000, 15], 86_400_000: ["h", 3_600_000, 6] };
/** narrow is the width below which there are half as many marks, in px. */
const narrow = 420;
/** near is how far a marker may be from the cursor to be said with it, as a part of the span. */
const near = 0.01;

/** Chart draws series of samples, each by the name of its member in a sample. */
export class Chart {
	constructor(place, { series, unit, signal }) {
		Object.assign(this, { series, unit, samples: [], described: 0, span: kept, broken, markers: [], cursor: null });
		this.svg = draw("svg", { class: "chart", height, "aria-hidden": "true" });
		this.values = new Map(series.map((s) => [s, make("span", { class: "value" })]));
		this.legend = make("p", { class: "legend", "aria-hidden": "true" }, ...series.map((s) => make("span", { "data-series": s }, s, " ", this.values.get(s))));
		this.readout = make("p", { class: "readout" });
		this.table = make("table");
		// A slider is what screen readers read the value of when an arrow key moves it.
		this.handle = make("div", { class: "plot", role: "slider", tabindex: "0", "aria-label": `${unit}: values at a time`, "aria-valuemin": "0", "aria-valuemax": "0", "aria-valuenow": "0", "aria-valuetext": "the newest" }, this.svg);
		place.replaceChildren(make("figure", {}, this.legend, this.handle, this.readout, make("div", { class: "hidden" }, this.table)));
		const watch = new ResizeObserver(() => this.render());
		watch.observe(place);
		signal.addEventListener("abort", () => watch.disconnect(), { once: true });
		for (const name of ["pointermove", "pointerdown"]) this.handle.addEventListener(name, (event) => this.point(event));
		this.handle.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") this.move(null); });
		this.handle.addEventListener("keydown", (event) => this.press(event));
		this.handle.addEventListener("blur", () => this.move(null));
	}

	/** show draws the samples, oldest first, of a span in ms up to an end. */
	show(samples, { span = kept, broken: gap = broken, end, markers = [], empty = "begins when the page is opened" } = {}) {
		if (span !== this.span) Object.assign(this, { cursor: null, described: 0 });
		Object.assign(this, { samples, span, broken: gap, until: end, markers, empty });
		this.render();
		if (samples.length && Date.now() - this.described > quiet) this.describe();
	}

	render() {
		const width = this.svg.parentNode?.clientWidth ?? 0;
		if (!width) return;
		this.width = width;
		const newest = this.samples.at(-1)?.at;
		this.end = Math.max(newest ?? 0, this.until ?? 0) || Date.now();
		this.top = ceiling(Math.max(least, ...this.samples.flatMap((s) => this.series.map((of) => s[of] ?? 0))));
		this.svg.setAttribute("width", width);
		this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
		this.line = draw("g", { class: "cursor" });
		this.svg.replaceChildren(...this.grid(), ...this.marks(), ...this.lines(), ...this.labels(), ...this.opening(), this.line);
		mark(this.handle, "aria-valuemax", String(Math.max(0, this.samples.length - 1)));
		this.move(this.cursor);
	}

	x(at) { return margin.left + (1 - (this.end - at) / this.span) * (this.width - margin.left - margin.right); }

	y(value) { return height - margin.bottom - (value / this.top) * (height - margin.top - margin.bottom); }

	grid() {
		const parts = [], [unit, ms, every] = ticks[this.span], step = every * ms * (this.width < narrow ? 2 : 1);
		for (const value of [0, this.top / 2, this.top]) {
			const y = this.y(value);
			parts.push(draw("line", { class: value ? "rule" : "axis", x1: margin.left, x2: this.width - margin.right, y1: y, y2: y }));
			parts.push(draw("text", { class: "tick", x: margin.left - 8, y: y + 4, "text-anchor": "end" }, brief(value)));
		}
		for (let back = 0; back <= this.span; back += step) {
			const x = this.x(this.end - back);
			parts.push(draw("line", { class: "rule", x1: x, x2: x, y1: this.y(0), y2: this.y(0) + 4 }));
			parts.push(draw("text", { class: "tick", x, y: height - 6, "text-anchor": "middle" }, back ? `−${back / ms} ${unit}` : "now"));
		}
		return parts;
	}

	/** marks are lines where somebody acted or an alert began. */
	marks() {
		return this.markers.filter(({ at }) => at > this.end - this.span && at <= this.end).flatMap(({ at, kind }) => {
			const x = this.x(at), top = margin.top;
			return [draw("line", { class: "mark", "data-kind": kind, x1: x, x2: x, y1: top, y2: this.y(0) }),
				draw("path", { class: "mark", "data-kind": kind, d: kind === "alert" ? `M${x - 5} ${top}h10l-5 8z` : `M${x} ${top - 5}l5 5l-5 5l-5 -5z` })];
		});
	}

	lines() {
		return this.series.map((of) => draw("path", { class: "line", "data-series": of, d: this.path(of) }));
	}

	path(of) {
		let text = "", last = null;
		for (const sample of this.samples) {
			if (!Number.isFinite(sample[of]) || sample.at < this.end - this.span) continue;
			const joined = last !== null && sample.at - last < this.broken, x = this.x(sample.at).toFixed(1), y = this.y(sample[of]).toFixed(1);
			text += joined ? `L${x} ${y}` : `M${x} ${y}h.01`; // a sample alone is a dot
			last = sample.at;
		}
		return text;
	}

	/** labels are the newest values at the ends of their lines, none over another. */
	labels() {
		const newest = this.samples.at(-1);
		if (!newest || this.end - newest.at > Math.max(this.broken, this.span / 20)) return []; // not of now
		let lowest = height - margin.bottom + 4 + labelGap;
		return this.series.filter((of) => Number.isFinite(newest[of])).toSorted((a, b) => newest[a] - newest[b]).flatMap((of) => {
			lowest = Math.min(this.y(newest[of]) + 4, lowest - labelGap);
			return [
				draw("circle", { class: "dot", "data-series": of, cx: this.x(newest.at), cy: this.y(newest[of]), r: 3.5 }),
				draw("text", { class: "now", "data-series": of, x: this.x(newest.at) + 9, y: lowest }, brief(newest[of])),
			];
		});
	}

	/** opening explains why there is hardly a line yet. */
	opening() {
		if (this.samples.length && (this.span !== kept || this.end - this.samples[0].at > early)) return [];
		return [draw("text", { class: "tick", x: this.x(this.end - this.span / 2), y: this.y(this.top / 2) - 8, "text-anchor": "middle" }, this.empty)];
	}

	/** point moves the cursor to the pointer. */
	point(event) {
		const { left } = this.svg.getBoundingClientRect();
		const at = this.end - (1 - (event.clientX - left - margin.left) / (this.width - margin.left - margin.right)) * this.span;
		const nearest = this.samples.reduce((best, s) => (!best || Math.abs(s.at - at) < Math.abs(best.at - at) ? s : best), null);
		this.move(nearest?.at ?? null);
	}

	/** press moves the cursor by keys, and takes it away with Escape. */
	press(event) {
		const { key } = event, last = this.samples.length - 1;
		if (event.ctrlKey || event.metaKey || event.altKey) return;
		const from = this.cursor === null ? last + 1 : this.samples.findLastIndex(({ at }) => at <= this.cursor);
		const step = event.shiftKey ? 10 : 1;
		const to = { ArrowLeft: from - step, ArrowDown: from - step, ArrowRight: from + step, ArrowUp: from + step, PageDown: from - 30, PageUp: from + 30, Home: 0, End: last }[key];
		if (key === "Escape") return this.move(null);
		if (to === undefined || last < 0) return;
		event.preventDefault();
		event.stopPropagation();
		this.move(this.samples[Math.min(Math.max(to, 0), last)].at);
	}

	/** move shows the values of the sample at a time, or none. */
	move(at) {
		const i = at === null ? -1 : this.samples.findIndex((sample) => sample.at === at), sample = this.samples[i];
		this.cursor = sample ? at : null;
		for (const [of, value] of this.values) say(value, sample ? counted(sample[of], brief) : "");
		const said = sample ? this.markers.filter((marker) => Math.abs(marker.at - at) <= near * this.span).map(({ text, actor }) => (actor ? `${text} by ${actor}` : text)) : [];
		say(this.readout, sample ? [moment(new Date(at)), ...said].join(" · ") : "");
		mark(this.handle, "aria-valuenow", String(sample ? i : Math.max(0, this.samples.length - 1)));
		mark(this.handle, "aria-valuetext", sample ? `${this.readout.textContent}: ${this.series.map((of) => `${of} ${counted(sample[of], brief)}`).join(", ")}` : "the newest");
		this.line?.replaceChildren(...(sample ? [
			draw("line", { x1: this.x(at), x2: this.x(at), y1: margin.top, y2: this.y(0) }),
			...this.series.filter((of) => Number.isFinite(sample[of])).map((of) => draw("circle", { class: "dot", "data-series": of, cx: this.x(at), cy: this.y(sample[of]), r: 3.5 })),
		] : []));
	}

	/** describe writes five values of each line into the table. */
	describe() {
		this.described = Date.now();
		const part = (s) => Math.floor(s.at / (this.span / 5));
		const rows = this.samples.filter((s, i, list) => i === list.length - 1 || part(s) !== part(list[i + 1]));
		const lasting = { [kept]: "five minutes", 3_600_000: "hour", 86_400_000: "24 hours" }[this.span];
		this.table.replaceChildren(
			make("caption", {}, `${this.unit}, over the last ${lasting}`),
			make("tr", {}, make("th", { scope: "col" }, "Time"), ...this.series.map((s) => make("th", { scope: "col" }, s))),
			...rows.map((s) => make("tr", {}, make("th", { scope: "row" }, moment(new Date(s.at))), ...this.series.map((of) => make("td", {}, counted(s[of], brief))))),
		);
	}
}

/** ceiling is a round number that is not below the value. */
function ceiling(value) {
	const power = 10 ** Math.floor(Math.log10(value));
	return [1, 2, 4, 6, 8, 10].map((n) => n * power).find((n) => n >= value);
}
