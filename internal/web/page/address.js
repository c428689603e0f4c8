// The address of a view: its fragment, as in #/orders?status=failed.

/** routeOf returns the name of a view, the id of what it is about, and its query. */
export function routeOf(hash) {
	const order = /^#\/orders\/(.+)$/s.exec(hash); // an id may have a question mark
	if (order) return { name: "orders", id: decode(order[1]), query: new URLSearchParams() };
	const [, name, id, query] = /^#?\/?([^/?]*)\/?([^?]*)\??(.*)$/s.exec(hash);
	return { name, id: decode(id), query: new URLSearchParams(query) };
}

function decode(text) {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}

/** hashOf is the fragment of a view with a query: pairs of which those without a value are left out. */
export function hashOf(view, query) {
	const text = new URLSearchParams([...query].filter(([, value]) => value)).toString();
	return `#/${view}${text && `?${text}`}`;
}

/** visit goes to a fragment; the state is of the entry in the history of the browser. */
export function visit(hash, state = null) {
	if (hash === (location.hash || "#/") && !state) return;
	history.pushState(state, "", hash);
	dispatchEvent(new HashChangeEvent("hashchange"));
}
