// Lines over the last five minutes, drawn for reading: axes with units and times,
// the newest value at its line, and everything once more as a text.

import { draw, make, say } from "./dom.js";
import { kept } from "./figures.js";
import { minute, time } from "./format.js";

const height = 180;
const margin = { top: 12, right: 64, bottom: 24, left: 44 };
/** broken is the time between two samples above which a line has a gap, in ms. */
const broken = 12_000;
/** apart is the least distance between two labels, in px. */
const apart = 14;
/** least is the smallest value at the top of a chart, so that half of it is whole. */
const least = 2;
/** quiet is how often the text for screen readers changes, in ms. */
const quiet = 15_000;
/** early is for how long a chart says why it is empty, in ms. */
const early = 20_000;

/**
 * Chart draws series of samples, each {name, of} with the name of its member in a
 * sample. It holds nothing beyond what it draws. The writer writes a value.
 */
export class Chart {
	constructor(place, { series, unit, write, signal }) {
		Object.assign(this, { series, unit, write, samples: [], told: 0 });
		this.svg = draw("svg", { class: "chart", height, "aria-hidden": "true" });
		this.legend = make("p", { class: "legend", "aria-hidden": "true" }, ...series.map((s) => make("span", { "data-series": s.of }, s.name)));
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
		if (samples.length && Date.now() - this.told > quiet) this.tell();
	}

	render() {
		const width = this.svg.parentNode?.clientWidth ?? 0;
		if (!width) return;
		this.width = width;
		this.end = this.samples.at(-1)?.at ?? Date.now();
		this.top = ceiling(Math.max(least, ...this.samples.flatMap((s) => this.series.map(({ of }) => s[of] ?? 0))));
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
			parts.push(draw("text", { class: "tick", x: margin.left - 8, y: y + 4, "text-anchor": "end" }, this.write(value)));
		}
		const step = this.width < 420 ? 120_000 : 60_000;
		for (let at = Math.ceil((this.end - kept) / step) * step; at <= this.end; at += step) {
			parts.push(draw("line", { class: "rule", x1: this.x(at), x2: this.x(at), y1: this.y(0), y2: this.y(0) + 4 }));
			parts.push(draw("text", { class: "tick", x: this.x(at), y: height - 6, "text-anchor": "middle" }, minute(at)));
		}
		return parts;
	}

	lines() {
		return this.series.map(({ of }) => draw("path", { class: "line", "data-series": of, d: this.path(of) }));
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
		const known = newest ? this.series.filter(({ of }) => Number.isFinite(newest[of])) : [];
		let lowest = height - margin.bottom + 4 + apart;
		return known.toSorted((a, b) => newest[a.of] - newest[b.of]).flatMap(({ of }) => {
			lowest = Math.min(this.y(newest[of]) + 4, lowest - apart);
			return [
				draw("circle", { class: "dot", "data-series": of, cx: this.x(newest.at), cy: this.y(newest[of]), r: 3.5 }),
				draw("text", { class: "now", "data-series": of, x: this.x(newest.at) + 9, y: lowest }, this.write(newest[of])),
			];
		});
	}

	/** opening says why there is hardly a line yet. */
	opening() {
		if (this.samples.length && this.end - this.samples[0].at > early) return [];
		return [draw("text", { class: "tick", x: this.x(this.end - kept / 2), y: this.y(this.top / 2) - 8, "text-anchor": "middle" }, "begins when the page is opened")];
	}

	/** point tells the values under the pointer. */
	point(event) {
		const at = event && this.end - (1 - (event.offsetX - margin.left) / (this.width - margin.left - margin.right)) * kept;
		const nearest = event && this.samples.reduce((best, s) => (!best || Math.abs(s.at - at) < Math.abs(best.at - at) ? s : best), null);
		say(this.readout, nearest ? `${time(nearest.at)}: ${this.series.map((s) => `${s.name} ${this.write(nearest[s.of] ?? 0)}`).join(", ")}` : "");
	}

	/** tell writes a value of each minute into the table for screen readers. */
	tell() {
		this.told = Date.now();
		const rows = this.samples.filter((s, i, list) => i === list.length - 1 || minute(s.at) !== minute(list[i + 1].at));
		this.table.replaceChildren(
			make("caption", {}, this.unit),
			make("tr", {}, make("th", { scope: "col" }, "Time"), ...this.series.map((s) => make("th", { scope: "col" }, s.name))),
			...rows.map((s) => make("tr", {}, make("th", { scope: "row" }, time(s.at)), ...this.series.map(({ of }) => make("td", {}, this.write(s[of] ?? 0))))),
		);
	}
}

/** ceiling is a round number that is not below the value. */
function ceiling(value) {
	const power = 10 ** Math.floor(Math.log10(value));
	return [1, 2, 4, 6, 8, 10].map((n) => n * power).find((n) => n >= value);
}
