// The state of a queue, and the button that pauses or resumes it.

import { post } from "./client.js";
import { confirm } from "./dialog.js";
import { clear, find, make, mark, notify, say, show } from "./dom.js";
import { count, duration } from "./format.js";

const counts = [["pending", "waiting"], ["active", "processing"], ["retry", "to retry"], ["scheduled", "scheduled"]];

/** QueueCard shows the content of a queue, and a button to pause or resume it. */
export class QueueCard {
	constructor(name, { root, figures }) {
		Object.assign(this, { name, root, figures });
		this.badge = make("span", { class: "pill", "data-status": "paused" }, "paused");
		this.button = make("button", { type: "button", "data-queue": name });
		this.button.addEventListener("click", () => this.toggle());
		this.values = counts.map(([key, label]) => ({ key, label, value: make("dd", { "data-count": key, class: "skeleton" }) }));
		this.oldest = make("span", { class: "note" });
		this.element = make("article", { class: "queue", "data-queue": name },
			make("div", { class: "head" }, make("h3", { "data-series": name }, make("a", { href: `#/queues/${name}` }, name)), this.badge, this.oldest, this.button),
			make("dl", {}, ...this.values.map(({ label, value }) => make("div", {}, make("dt", {}, label), value))));
		show(this.badge, false);
		show(this.button, false);
	}

	show(queue) {
		this.paused = queue.paused;
		mark(this.element, "data-paused", String(queue.paused));
		show(this.badge, queue.paused);
		show(this.button, true);
		say(this.button, queue.paused ? "Resume" : "Pause");
		mark(this.button, "aria-label", `${queue.paused ? "Resume" : "Pause"} the queue ${this.name}`);
		for (const { key, value } of this.values) {
			value.classList.remove("skeleton");
			say(value, count(queue[key]));
		}
		say(this.oldest, queue.oldest_pending_seconds ? `oldest for ${duration(1000 * queue.oldest_pending_seconds)}` : "");
	}

	/** toggle pauses the queue after a confirmation, or resumes it. */
	async toggle() {
		const { name, paused } = this;
		const sure = paused || await confirm({
			title: `Pause the queue ${name}?`, yes: "Pause it", danger: true,
			body: ["Within two seconds the workers stop fetching from it. Running attempts finish; new orders are accepted and wait."],
		});
		if (!sure) return;
		const result = find("#queues-result", this.root);
		clear(result);
		this.button.disabled = true;
		try {
			this.show(await post(`/queues/${name}/${paused ? "resume" : "pause"}`));
			notify(result, "good", `The queue ${name} is ${paused ? "resumed" : "paused"}.`);
			this.figures.soon();
		} catch (refusal) {
			notify(result, "bad", `The queue ${name} was not ${paused ? "resumed" : "paused"}. ${refusal.message}`);
		}
		this.button.disabled = false;
		this.button.focus();
	}
}
