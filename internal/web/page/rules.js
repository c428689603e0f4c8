// The versions of the rules: what they say and would decide, and which of them decides.

import { ask, get, post } from "./client.js";
import { versionLink } from "./decision.js";
import { diffView } from "./diff.js";
import { confirm } from "./dialog.js";
import { clear, find, make, notify, say, show, when } from "./dom.js";
import { count } from "./format.js";
import { changeList, changeTable, simulate, summary } from "./simulation.js";

/** pause is the time between two loads of the list, in ms. */
const pause = 5000;
/** tried is how many orders are simulated before a version is activated. */
const tried = 10_000;

/** rules shows the view until the signal ends. */
export function rules(root, { id, figures, signal }) {
	const view = new Rules(root, { version: id, signal });
	find("#simulate", root).addEventListener("submit", (event) => {
		event.preventDefault();
		view.simulate(Number(find("#simulate-limit", root).value));
	});
	find("#against", root).addEventListener("change", () => view.compare());
	find("#push form", root).addEventListener("submit", (event) => {
		event.preventDefault();
		view.push();
	});
	figures.listen(() => Date.now() - view.loadedAt >= pause && view.load(), signal);
	view.load();
}

class Rules {
	constructor(root, { version, signal }) {
		Object.assign(this, { root, version, signal });
		for (const name of ["fault", "result", "lead"]) this[name] = find(`#rules-${name}`, root);
		this.place = find("#simulation", root);
		this.shown = {}; // what each part shows, as JSON
		this.sources = new Map(); // by version
	}

	async load() {
		this.loadedAt = Date.now();
		try {
			this.list = await get("/rules", { signal: this.signal });
			this.version ??= this.list.active;
			if (!this.sources.has(this.version)) await this.read(this.version);
			this.show();
			clear(this.fault);
		} catch (refusal) {
			if (!this.signal.aborted) notify(this.fault, "bad", refusal.status === 404 ? refusal.message : `The rules cannot be read. ${refusal.message} They are loaded again soon.`);
			if (this.list) this.show();
		}
	}

	async read(version) {
		const set = await get(`/rules/${encodeURIComponent(version)}`, { signal: this.signal });
		this.sources.set(version, set);
		return set;
	}

	/** changed reports whether a part has to show something else than it does. */
	changed(part, ...values) {
		const text = JSON.stringify(values);
		const changed = this.shown[part] !== text;
		this.shown[part] = text;
		return changed;
	}

	show() {
		const { active, shadow, versions, shadow_decisions: decisions } = this.list;
		const focused = document.activeElement;
		if (this.changed("list", active, shadow, versions)) {
			this.lead.replaceChildren("The version ", versionLink(active), ` decides${shadow ? ", and " : "."}`, ...(shadow ? [versionLink(shadow), " decides beside it as a shadow, without effect."] : []));
			find("#versions tbody", this.root).replaceChildren(...versions.map((set) => this.row(set)));
			find("#against", this.root).replaceChildren(make("option", { value: "" }, "none"), ...versions.filter(({ version }) => version !== this.version).map(({ version }) => make("option", { value: version }, `${version}${version === active ? ", active" : ""}`)));
			find("#source-text", this.root).replaceChildren();
			this.shown.source = undefined;
		}
		if (this.changed("shadow", shadow, decisions)) this.showShadow(shadow, decisions);
		const set = this.sources.get(this.version);
		if (set && this.changed("version", active, shadow)) this.showVersion(set);
		if (set && this.changed("source", this.version)) this.compare();
		if (focused?.isConnected || !focused?.hash && !focused?.dataset.action) return;
		const again = [...this.root.querySelectorAll("a, button")].find(({ hash, dataset }) => focused.hash ? hash === focused.hash : dataset.action === focused.dataset.action);
		(again ?? find("h1", this.root)).focus();
	}

	row({ version, created_at: at, created_by: by, rules: list }) {
		const link = versionLink(version);
		if (version === this.version) link.setAttribute("aria-current", "true");
		return make("tr", {}, make("td", {}, link, " ", this.part(version)),
			make("td", {}, at ? when(at, { brief: true }) : "by the settings", by && make("span", { class: "note" }, ` by ${by}`)), make("td", { class: "number" }, count(list.length)));
	}

	/** part shows which part a version has in decisions. */
	part(version) {
		const word = version === this.list.active ? "active" : version === this.list.shadow ? "shadow" : "";
		return word && make("span", { class: "pill", "data-part": word }, word);
	}

	showShadow(shadow, decisions) {
		const card = find("#shadow", this.root);
		show(card, Boolean(shadow));
		if (!shadow) return;
		const words = !decisions?.orders ? "No order has been decided by both yet." : `Both decided ${count(decisions.orders)} orders, ${decisions.changed ? `${count(decisions.changed)} of them differently.` : "all of them alike."}`;
		card.replaceChildren(make("h2", {}, "Shadow ", make("span", { class: "id" }, shadow)), make("p", { class: "note" }, words),
			decisions?.changed > 0 && make("div", { class: "scroll" }, changeTable(decisions)) || "");
	}

	showVersion({ version, created_at: at, created_by: by }) {
		for (const part of ["#version", "#source"]) show(find(part, this.root), true);
		find("#version h2", this.root).replaceChildren("Version ", make("span", { class: "id" }, version));
		find("#version-part", this.root).replaceChildren(this.part(version));
		find("#version-note", this.root).replaceChildren(...(at ? [`Stored by ${by} at `, when(at), "."] : [`The settings make it.${version === this.list.active ? "" : " Activate it to go back to them."}`]));
		const buttons = [["edit", "Edit a copy", () => this.edit(version)]];
		if (version === this.list.shadow) buttons.unshift(["end", "End the shadow", () => this.put(() => ask("DELETE", "/rules/shadow"), "It is no shadow any more.", "The shadow has not ended.")]);
		else if (version !== this.list.active) buttons.unshift(["shadow", "Make it the shadow", () => this.put(() => post(`/rules/${version}/shadow`), "It decides beside the active version within two seconds.", "It is not the shadow.")]);
		if (version !== this.list.active) buttons.unshift(["activate", "Activate …", () => this.activate()]);
		find("#version-actions", this.root).replaceChildren(...buttons.map(([action, label, act]) => {
			const button = make("button", { type: "button", "data-action": action, class: action === "activate" && "primary" }, label);
			button.addEventListener("click", act);
			return button;
		}));
		this.enable(!this.running);
	}

	/** compare shows the document, or how it differs from that of the chosen version. */
	async compare() {
		const against = find("#against", this.root).value, place = find("#source-text", this.root);
		const { source } = this.sources.get(this.version);
		if (!against) return place.replaceChildren(make("pre", { tabindex: "0" }, source));
		try {
			const before = this.sources.get(against) ?? await this.read(against);
			if (find("#against", this.root).value === against) place.replaceChildren(...diffView(before.source, source));
		} catch (refusal) {
			if (!this.signal.aborted) place.replaceChildren(make("p", { class: "error", role: "status" }, `${against} cannot be read. ${refusal.message}`));
		}
	}

	/** enable allows what changes or simulates something, one at a time. */
	enable(now) {
		for (const button of this.root.querySelectorAll("#version-actions button, #simulate button")) button.disabled = !now;
	}

	/** run simulates the version, and shows how far it is. It resolves to nothing if it was cancelled. */
	async run(limit) {
		const running = this.running = new AbortController();
		this.enable(false);
		const progress = make("p", { class: "note" }, "No order is decided so far.");
		const cancel = make("button", { type: "button", id: "simulate-cancel" }, "Cancel");
		cancel.addEventListener("click", () => running.abort());
		this.place.replaceChildren(make("div", { class: "actions" }, progress, cancel));
		cancel.focus();
		try {
			return await simulate(this.version, limit, ({ orders, changed }) => say(progress, `${count(orders)} decided so far, ${count(changed)} of them would change.`), AbortSignal.any([this.signal, running.signal]));
		} catch (error) {
			if (this.signal.aborted || !running.signal.aborted) throw error;
			notify(this.result, "good", "The simulation is cancelled. Nothing has changed.");
			return undefined;
		} finally {
			this.running = null;
			this.place.replaceChildren();
			this.enable(true);
		}
	}

	async simulate(limit) {
		clear(this.result);
		try {
			const result = await this.run(limit);
			if (result) this.place.replaceChildren(make("p", { role: "status", class: "words" }, summary(result)), result.changed > 0 ? make("div", { class: "scroll" }, changeTable(result)) : "");
		} catch (refusal) {
			if (this.signal.aborted) return;
			notify(this.result, "bad", `It was not simulated. ${refusal.message}`);
		}
		find("#simulate button", this.root).focus();
	}

	/** activate names what would change, asks, and does it. */
	async activate() {
		clear(this.result);
		let words;
		try {
			const result = await this.run(tried);
			if (result) words = [summary(result), changeList(result)];
		} catch (refusal) {
			if (this.signal.aborted) return;
			if (refusal.status === 401 || refusal.status === 403) notify(this.result, "bad", `It was not activated. ${refusal.message}`);
			else words = [`What would change is not known. ${refusal.message}`];
		}
		const sure = words && await confirm({
			title: `Activate ${this.version}?`, yes: "Activate it", no: "Cancel",
			body: [...words, `It decides instead of ${this.list.active} within two seconds. Orders that are decided keep their decision.`],
		});
		if (sure) await this.put(() => post(`/rules/${this.version}/activate`), `It decides within two seconds. To go back, activate ${this.list.active}.`, "It was not activated.");
		else find("[data-action=activate]", this.root)?.focus();
	}

	/** put gives the version a part in decisions. */
	async put(send, done, undone) {
		clear(this.result);
		this.enable(false);
		try {
			await send();
			notify(this.result, "good", done);
		} catch (refusal) {
			if (!this.signal.aborted) notify(this.result, "bad", `${undone} ${refusal.message}`);
		}
		this.enable(true);
		if (this.signal.aborted) return;
		await this.load();
		(find("#version-actions button", this.root) ?? find("h1", this.root)).focus();
	}

	/** edit begins a new version with the document of this one. */
	edit(version) {
		const field = find("#push-source", this.root);
		find("#push", this.root).open = true;
		field.value = this.sources.get(version).source;
		field.focus();
		field.setSelectionRange(0, 0);
	}

	/** push stores the document as a version, or lists what is wrong with it. */
	async push() {
		const field = find("#push-source", this.root), result = find("#push-result", this.root), button = find("#push button", this.root);
		button.disabled = true;
		clear(result);
		field.removeAttribute("aria-invalid");
		try {
			const { version } = await ask("POST", "/rules", { body: field.value, headers: { "Content-Type": "application/yaml" } });
			notify(result, "good", "The version ", versionLink(version), " is stored. It decides nothing until it is activated.");
			await this.load();
		} catch (refusal) {
			if (!this.signal.aborted) refuse(field, result, refusal);
		}
		button.disabled = false;
	}
}

/** refuse lists what is wrong with a document, and goes to the first of it. */
function refuse(field, result, { message, problem }) {
	const errors = problem?.errors ?? [];
	if (!errors.length) return notify(result, "bad", `It is not stored. ${message}`);
	field.setAttribute("aria-invalid", "true");
	notify(result, "bad", "It is not stored:", make("ul", {}, ...errors.map((error) => make("li", {}, `${error.field}, ${error.message}`))));
	const [, line, column] = /^line (\d+), column (\d+)/.exec(errors[0].message) ?? [];
	field.focus();
	if (!line) return;
	const at = field.value.split("\n").slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0) + Number(column) - 1;
	field.setSelectionRange(at, at);
}
