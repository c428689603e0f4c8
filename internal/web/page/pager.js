// The pages of a list: the cursors of those before are kept with the history of the
// browser, so that back, forward and reload find them.

import { hashOf, visit } from "./address.js";
import { make, say, show } from "./dom.js";

/** Pager has the buttons for the next page and the one before. */
export class Pager {
	constructor(place, view) {
		Object.assign(this, { view, previous: make("button", { type: "button" }, "← Previous"), words: make("span", { class: "note" }), next: make("button", { type: "button" }, "Next →") });
		this.previous.addEventListener("click", () => this.turn(this.before.at(-1) ?? "", this.before.slice(0, -1)));
		this.next.addEventListener("click", () => this.turn(this.cursor, [...this.before, this.query.get("cursor") ?? ""]));
		place.replaceChildren(this.previous, this.words, this.next);
		this.place = place;
	}

	/** show shows the page of this query, after which a cursor finds more if there is one. */
	show(query, cursor) {
		Object.assign(this, { query, cursor, before: history.state?.cursors ?? [] });
		const later = query.has("cursor");
		this.previous.disabled = !later;
		this.next.disabled = !cursor;
		say(this.previous, later && !this.before.length ? "← First page" : "← Previous");
		say(this.words, later && !this.before.length ? "" : `Page ${this.before.length + 1}`);
		show(this.place, later || Boolean(cursor));
	}

	turn(cursor, cursors) {
		const query = new URLSearchParams(this.query);
		query.set("cursor", cursor);
		visit(hashOf(this.view, query), { cursors });
		scrollTo(0, 0);
	}
}
