// Line charts of the last five minutes, with axes, the newest value at each line, and
// a table for screen readers.

import { draw, make, say } from "./dom.js";
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

/** Chart draws series of samples, each by the name of its member in a sample. */
export class Chart {
	constructor(place, { series, unit, signal }) {
		Object.assign(this, { series, unit, samples: [], described: 0 });
		this.svg = draw("svg", { class: "chart", height, "aria-hidden": "true" });
		this.legend = make("p", { class: "legend", "aria-hidden": "true" }, ...series.map((s) => make("span", { "data-series": s }, s)));
		this.readout = make("span", { class: "readout" });
		this.legend.append(this.readout);
		this.table = make("table");
		place.replaceChildren(make("figure", {}, this.legend, this.svg, make("div", { class: "hidden" }, this.table)));
		const watch = new ResizeObserver(() => this.render());
		watch.observe(place);
		signal.addEventListener("abort", () => watch.disconnect(), { once: true });
		this.svg.addEventListener("pointermove", (event) => this.point(event));
		this.svg.addEventListener("pointerleave", () => this.point(null));
	}

	/** show draws the samples, oldest first. */
	show(samples) {
		this.samples = samples;
		this.render();
		if (samples.length && Date.now() - this.described > quiet) this.describe();
	}

	render() {
		const width = this.svg.parentNode?.clientWidth ?? 0;
		if (!width) return;
		this.width = width;
		this.end = this.samples.at(-1)?.at ?? Date.now();
		this.top = ceiling(Math.max(least, ...this.samples.flatMap((s) => this.series.map((of) => s[of] ?? 0))));
		this.svg.setAttribute("width", width);
		this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
		this.svg.replaceChildren(...this.grid(), ...this.lines(), ...this.labels(), ...this.opening());
	}

	x(at) { return margin.left + (1 - (this.end - at) / kept) * (this.width - margin.left - margin.right); }

	y(value) { return height - margin.bottom - (value / this.top) * (height - margin.top - margin.bottom); }

	grid() {
		const parts = [];
		for (const value of [0, this.top / 2, this.top]) {
			const y = this.y(value);
			parts.push(draw("line", { class: value ? "rule" : "axis", x1: margin.left, x2: this.width - margin.right, y1: y, y2: y }));
			parts.push(draw("text", { class: "tick", x: margin.left - 8, y: y + 4, "text-anchor": "end" }, brief(value)));
		}
		for (let minutes = this.width < 420 ? 4 : 5; minutes >= 0; minutes -= this.width < 420 ? 2 : 1) {
			const x = this.x(this.end - 60_000 * minutes);
			parts.push(draw("line", { class: "rule", x1: x, x2: x, y1: this.y(0), y2: this.y(0) + 4 }));
			parts.push(draw("text", { class: "tick", x, y: height - 6, "text-anchor": "middle" }, minutes ? `−${minutes} min` : "now"));
		}
		return parts;
	}

	lines() {
		return this.series.map((of) => draw("path", { class: "line", "data-series": of, d: this.path(of) }));
	}

	path(of) {
		let text = "", last = null;
		for (const sample of this.samples) {
			if (sample[of] === null || sample[of] === undefined) continue;
			const joined = last !== null && sample.at - last < broken;
			text += `${joined ? "L" : "M"}${this.x(sample.at).toFixed(1)} ${this.y(sample[of]).toFixed(1)}`;
			last = sample.at;
		}
		return text;
	}

	/** labels are the newest values at the ends of their lines, none over another. */
	labels() {
		const newest = this.samples.at(-1);
		const known = newest ? this.series.filter((of) => Number.isFinite(newest[of])) : [];
		let lowest = height - margin.bottom + 4 + labelGap;
		return known.toSorted((a, b) => newest[a] - newest[b]).flatMap((of) => {
			lowest = Math.min(this.y(newest[of]) + 4, lowest - labelGap);
			return [
				draw("circle", { class: "dot", "data-series": of, cx: this.x(newest.at), cy: this.y(newest[of]), r: 3.5 }),
				draw("text", { class: "now", "data-series": of, x: this.x(newest.at) + 9, y: lowest }, brief(newest[of])),
			];
		});
	}

	/** opening explains why there is hardly a line yet. */
	opening() {
		if (this.samples.length && this.end - this.samples[0].at > early) return [];
		return [draw("text", { class: "tick", x: this.x(this.end - kept / 2), y: this.y(this.top / 2) - 8, "text-anchor": "middle" }, "begins when the page is opened")];
	}

	/** point shows the values under the pointer. */
	point(event) {
		const at = event && this.end - (1 - (event.offsetX - margin.left) / (this.width - margin.left - margin.right)) * kept;
		const nearest = event && this.samples.reduce((best, s) => (!best || Math.abs(s.at - at) < Math.abs(best.at - at) ? s : best), null);
		say(this.readout, nearest ? `${moment(new Date(nearest.at))}: ${this.series.map((s) => `${s} ${counted(nearest[s], brief)}`).join(", ")}` : "");
	}

	/** describe writes a value of each minute into the table. */
	describe() {
		this.described = Date.now();
		const minute = (s) => Math.floor(s.at / 60_000);
		const rows = this.samples.filter((s, i, list) => i === list.length - 1 || minute(s) !== minute(list[i + 1]));
		this.table.replaceChildren(
			make("caption", {}, this.unit),
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
