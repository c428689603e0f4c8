// One job: how far it is, what came of it, and the buttons that pause and stop it.

import { doneNames, jobFault } from "./act.js";
import { hashOf } from "./address.js";
import { get, post } from "./client.js";
import { clear, find, make, mark, notify, say, show, when } from "./dom.js";
import { asQuery, wordsOf } from "./filters.js";
import { age, count, many } from "./format.js";
import { progress } from "./table.js";

/** poll is how often a job is read while it runs, and after a failure, in ms. */
const poll = 800;
const later = 4000;
/** follow is for how long outcomes are awaited after the end of a job, in ms. */
const follow = 60_000;
/** pace is over how many readings the speed is measured. */
const pace = 8;

const ended = ({ state }) => ["done", "stopped", "failed"].includes(state);
const levels = { running: "running", counting: "running", paused: "warning", stopped: "warning", failed: "bad", done: "good" };

/** jobPill shows the state of a job. */
export const jobPill = ({ state, dry_run: dry }) => make("span", { class: "pill", "data-level": levels[state] }, dry && state === "done" ? "counted" : state);

/** titleOf says what a job does, as in "Retry · status: failed". */
export function titleOf({ action, filter, dry_run: dry }) {
	const words = action === "erase" ? "a customer" : asQuery(filter).map(wordsOf).join(" · ") || "all orders";
	return `${dry ? "Count for " : ""}${action} · ${words}`.replace(/^./, (first) => first.toUpperCase());
}

/** outcomeOf says what came of a job, as in "1,946 retried: 1,940 completed, 6 failed again." */
export function outcomeOf(job) {
	const { action, done, skipped, failed, matched, outcomes = {} } = job;
	if (job.dry_run) return `${many(matched, "order matches", "orders match")}; none was changed.`;
	const again = action === "retry" ? " again" : "", settled = Object.entries(outcomes).filter(([, n]) => n > 0);
	const open = action === "retry" ? Math.max(0, done - settled.reduce((sum, [, n]) => sum + n, 0)) : 0;
	const parts = settled.filter(([word]) => word !== doneNames[action]).map(([word, n]) => `${count(n)} ${word.replaceAll("_", " ")}${word === "completed" ? "" : again}`);
	if (open && done) parts.push(`${count(open)} not settled yet`);
	const others = [skipped && `${count(skipped)} skipped, as they had changed`, failed && !outcomes.failed && `${count(failed)} could not be ${doneNames[action]}`].filter(Boolean);
	return `${count(done)} ${doneNames[action]}${parts.length ? `: ${parts.join(", ")}` : ""}.${others.length ? ` ${others.join("; ")}.` : ""}`;
}

/** job shows the page of one job until the signal ends. */
export function job(root, context) { new JobPage(root, context).read(); }

class JobPage {
	constructor(root, { id, figures, signal }) {
		Object.assign(this, { id, figures, signal, readings: [], facts: find("#job-facts", root) });
		for (const part of ["title", "state", "words", "detail", "fault"]) this[part] = find(`#job-${part}`, root);
		this.card = find(".job", root);
		this.meter = progress("Progress of the job");
		this.words.before(this.meter.bar);
		this.buttons = ["pause", "resume", "stop"].map((step) => this.button(step));
		find(".actions", this.card).append(...this.buttons);
		signal.addEventListener("abort", () => clearTimeout(this.timer), { once: true });
	}

	button(step) {
		const button = make("button", { type: "button", "data-step": step, hidden: true, class: step === "stop" && "danger" }, step[0].toUpperCase() + step.slice(1));
		button.addEventListener("click", async () => {
			button.disabled = true;
			clear(this.fault);
			try {
				this.show(await post(`/jobs/${this.id}/${step}`));
				if (step !== "stop") find(step === "pause" ? "[data-step=resume]" : "[data-step=pause]", this.card).focus();
			} catch (refusal) {
				notify(this.fault, "bad", `It is not known to have changed. ${jobFault(refusal)}`);
			}
			button.disabled = false;
		});
		return button;
	}

	async read() {
		let wait = poll;
		try {
			const job = await get(`/jobs/${encodeURIComponent(this.id)}`, { signal: this.signal });
			clear(this.fault);
			this.show(job);
			if (ended(job) && !(this.awaits(job))) return;
			if (ended(job)) wait = later / 2;
		} catch (refusal) {
			if (this.signal.aborted) return;
			notify(this.fault, "bad", refusal.status === 404 ? "There is no such job any more." : `The job cannot be read. ${refusal.message} It goes on without this page.`);
			if (refusal.status === 404) return;
			wait = later;
		}
		if (!this.signal.aborted) this.timer = setTimeout(() => this.read(), document.hidden ? later : wait);
	}

	/** awaits reports whether orders of a job that has ended may still be settled. */
	awaits({ action, done, outcomes = {}, ended_at: at, dry_run: dry }) {
		return !dry && action === "retry" && Object.values(outcomes).reduce((sum, n) => sum + n, 0) < done && Date.now() - new Date(at) < follow;
	}

	show(job) {
		const handled = job.done + job.skipped + job.failed, total = Math.min(job.matched, job.limit ?? Infinity) || 0;
		say(this.title, titleOf(job));
		show(this.card, true);
		this.state.replaceChildren(jobPill(job));
		mark(this.card, "data-state", job.state);
		this.meter.show(total ? handled / total : ended(job) ? 1 : 0, `${count(handled)} of ${count(total)}`);
		mark(this.meter.bar, "data-level", levels[job.state] === "running" ? "" : levels[job.state]);
		for (const button of this.buttons) {
			show(button, { pause: job.state === "running", resume: job.state === "paused", stop: ["counting", "running", "paused"].includes(job.state) }[button.dataset.step]);
		}
		say(this.words, job.state === "counting" ? `Counting${job.matched ? `: ${count(job.matched)} so far` : ""} …` : ended(job) || job.state === "paused" ? outcomeOf(job) : `${count(handled)} of ${many(total, "order")}`);
		say(this.detail, [this.speed(job, handled, total), job.state === "running" && outcomeOf(job), job.error].filter(Boolean).join(" · "));
		const text = JSON.stringify([job.state, job.filter, job.ended_at]);
		if (text !== this.content) this.facts.replaceChildren(...factsOf(job));
		if (this.content && ended(job)) this.figures.soon();
		this.content = text;
	}

	/** speed says how quick a job is, and how long it still takes at least. */
	speed({ state }, handled, total) {
		if (state !== "running") {
			this.readings = [];
			return "";
		}
		this.readings = [...this.readings, [Date.now(), handled]].slice(-pace);
		const [from, before] = this.readings[0], [to, now] = this.readings.at(-1);
		const each = (now - before) / (to - from);
		return each > 0 ? `${count(Math.round(1000 * each))} a second, about ${age((total - handled) / each)} left` : "";
	}
}

function factsOf(it) {
	const at = (text) => text && when(text), filter = asQuery(it.filter);
	const rows = [
		["Action", it.dry_run ? `${it.action}, count only` : it.action], ["Orders", it.action !== "erase" && make("a", { href: hashOf("orders", filter) }, filter.map(wordsOf).join(" · ") || "all orders")],
		["Actor", it.actor], ["Reason", it.reason], ["Started", at(it.created_at)], ["Ended", at(it.ended_at)],
		["At most", it.limit && many(it.limit, "order")], ["Pace", it.per_second && `${count(it.per_second)} a second`], ["Stop after", it.stop_after_failures && many(it.stop_after_failures, "failure")],
		["Tried first", it.canary && many(it.canary, "order")], ["Audit", make("a", { href: hashOf("audit", [["target", it.id]]) }, "who did what with it")],
	].filter(([, value]) => value);
	return rows.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)));
}
