// Requests to the API that this page came from.

/** patience bounds a request, in ms. The API answers within two seconds. */
const patience = 8000;

/** Refusal is an answer that is an error, or no answer, which has the status 0. */
export class Refusal extends Error {
	constructor(status, problem, headers) {
		super(words(status, problem, headers));
		this.status = status;
		this.problem = problem;
		this.retryAfter = Number(headers?.get("Retry-After")) || 0;
	}
}

function words(status, problem, headers) {
	const scope = /scope="(\w+)"/.exec(headers?.get("WWW-Authenticate") ?? "")?.[1];
	if (status === 0) return "The server did not answer.";
	if (status === 401) return "Your key is not known here. Reload the page and sign in with one that is.";
	if (status === 403 && scope) return `Your key lacks the scope ${scope}.`;
	if (status === 429) return `The limit on requests is used up. Try again in ${headers.get("Retry-After") ?? "1"} s.`;
	return problem?.detail || `The server answered ${status}.`;
}

/**
 * ask sends a request and returns the JSON that it is answered. It throws a
 * Refusal for every other answer, unless its status is among those accepted.
 * A body is JSON text.
 */
export async function ask(method, path, { body, headers = {}, accept = [], signal } = {}) {
	if (body !== undefined) headers = { ...headers, "Content-Type": "application/json" };
	const late = AbortSignal.timeout(patience);
	let answer, content;
	try {
		answer = await fetch(here(path), { method, headers, body, cache: "no-store", signal: signal ? AbortSignal.any([signal, late]) : late });
		content = await answer.json().catch((error) => { if (answer.ok) throw error; });
	} catch (error) {
		if (signal?.aborted) throw error;
		throw new Refusal(0);
	}
	if (!answer.ok && !accept.includes(answer.status)) throw new Refusal(answer.status, content, answer.headers);
	return content;
}

/**
 * here is a path of this server as an address without a user and a password, which
 * the page's own may have, and with which browsers refuse requests.
 */
export const here = (path) => location.origin + path;

/** get asks for something. */
export const get = (path, options) => ask("GET", path, options);

/** post has something done; the value is sent as JSON, unless there is none. */
export const post = (path, value, options) =>
	ask("POST", path, { ...options, body: value === undefined ? undefined : JSON.stringify(value) });

/** isID says whether a text can be an order's id, and a part of a path. */
export const isID = (text) => /^[A-Za-z0-9._-]{1,64}$/.test(text) && text !== "." && text !== "..";

/** orderPath is where an order is. */
export const orderPath = (id, step = "") => `/orders/${encodeURIComponent(id)}${step}`;
