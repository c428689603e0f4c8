// The figures of the last hour or day, as the server keeps them.

import { get } from "./client.js";
import { find, make, say, show, when } from "./dom.js";
import { many } from "./format.js";

/** ranges are the spans in ms that the server keeps. */
const ranges = { "1h": 3_600_000, "24h": 86_400_000 };
/** flows are counts of a step, which are drawn as rates. */
const flows = ["accepted", "completed", "rejected", "failed", "cancelled"];
/** again is the time to the next reading after a failure, in ms. */
const again = 5000;
/** most is how many markers are listed. */
const most = 100;

/** History reads the range that is chosen, and again as long as it is chosen. */
export class History {
	constructor(root, { figures, signal, show: drawn }) {
		Object.assign(this, { root, figures, signal, drawn, range: "" });
		signal.addEventListener("abort", () => clearTimeout(this.timer), { once: true });
	}

	/** turn shows a range, or leaves the charts alone if there is none. */
	turn(range) {
		this.range = ranges[range] ? range : "";
		this.samples = null;
		clearTimeout(this.timer);
		this.list([]);
		this.fault("");
		if (!this.range) return;
		this.draw();
		this.read();
	}

	async read() {
		const { range } = this;
		let wait = again;
		try {
			const past = await pastOf(range, this.signal);
			if (range !== this.range) return;
			Object.assign(this, past);
			this.list(this.markers);
			this.fault("");
			this.draw();
			wait = Math.min(this.step, 10_000);
		} catch (refusal) {
			if (this.signal.aborted || range !== this.range) return;
			this.fault(`The history cannot be read. ${refusal.message}`);
		}
		this.timer = setTimeout(() => this.read(), document.hidden ? 6 * again : wait);
	}

	draw() {
		if (!this.range) return;
		const span = ranges[this.range], server = this.figures.health?.timestamp;
		this.drawn(this.samples ?? [], { span, broken: 2.5 * (this.step ?? 0), end: server ? 1000 * server : Date.now(), markers: this.markers, empty: this.samples ? "nothing is kept of this time yet" : "" });
	}

	fault(words) { say(find("#range-fault", this.root), words); }

	/** list lists the markers as text. */
	list(markers) {
		const place = find("#markers", this.root);
		show(place, markers.length > 0);
		say(find("summary", place), many(markers.length, "action or alert in this time", "actions and alerts in this time"));
		find("ul", place).replaceChildren(...markers.toReversed().slice(0, most).map(({ time, kind, text, actor }) =>
			make("li", { "data-kind": kind }, when(time), make("span", {}, ` ${kind === "alert" ? "Alert: " : ""}${text}`, actor && ` by ${actor}`))));
	}
}

/** pastOf resolves to the samples of a range, the markers beside them, and the step between two samples in ms. */
export async function pastOf(range, signal) {
	const { step_seconds: step, points, markers } = await get(`/stats/history?range=${range}`, { signal });
	return { samples: points.map((point) => sampleOf(point, step)), markers: markers.map((marker) => ({ ...marker, at: Date.parse(marker.at), time: marker.at })), step: 1000 * step };
}

function sampleOf(point, step) {
	return { ...point.waiting, ...Object.fromEntries(flows.map((flow) => [flow, point[flow] / step])), at: Date.parse(point.at) };
}
