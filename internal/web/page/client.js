// Requests to the API that serves this page.

/** timeout bounds a request, in ms. The API answers within two seconds. */
const timeout = 8000;
/** silence is how long an answer in lines may send nothing, in ms. The API sends a line each second. */
const silence = 15_000;

/** Refusal is an error answer, or status 0 for no answer. */
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
	if (status === 401) return "Your key is unknown. Reload the page and sign in with a known one.";
	if (status === 403 && scope) return `Your key lacks the scope ${scope}.`;
	if (status === 429) return `The rate limit is used up. Try again in ${headers.get("Retry-After") ?? "1"} s.`;
	return problem?.detail || `The server answered ${status}.`;
}

/**
 * ask sends a request and returns the JSON of the answer. It throws a Refusal for an
 * error, unless its status is among those accepted. The body is JSON text, unless the
 * headers say otherwise.
 */
export async function ask(method, path, { body, headers = {}, accept = [], signal } = {}) {
	if (body !== undefined) headers = { "Content-Type": "application/json", ...headers };
	const late = AbortSignal.timeout(timeout);
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
 * here is the URL of a path of this server, without the user and the password that the
 * URL of the page may have: browsers refuse requests to such URLs.
 */
export const here = (path) => location.origin + path;

/** get sends a GET. */
export const get = (path, options) => ask("GET", path, options);

/** post sends a POST, with the value as JSON if there is one. */
export const post = (path, value, options) =>
	ask("POST", path, { ...options, body: value === undefined ? undefined : JSON.stringify(value) });

/**
 * lines sends a POST and calls back with the value of each line of the answer as it comes.
 * It throws a Refusal, and what the signal aborts with.
 */
export async function lines(path, value, each, signal) {
	const silent = new AbortController();
	let timer;
	const heard = () => { clearTimeout(timer); timer = setTimeout(() => silent.abort(), silence); };
	heard();
	try {
		const answer = await fetch(here(path), {
			method: "POST", headers: { "Content-Type": "application/json", Accept: "application/x-ndjson" }, body: JSON.stringify(value),
			cache: "no-store", signal: AbortSignal.any([signal, silent.signal]),
		});
		if (!answer.ok) throw new Refusal(answer.status, await answer.json().catch(() => undefined), answer.headers);
		const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
		for (let rest = "", part = await reader.read(); !part.done; part = await reader.read()) {
			heard();
			const whole = (rest + part.value).split("\n");
			rest = whole.pop();
			for (const line of whole) each(JSON.parse(line));
		}
	} catch (error) {
		if (signal.aborted || error instanceof Refusal) throw error;
		throw new Refusal(0);
	} finally {
		clearTimeout(timer);
	}
}

/** isID reports whether a text is a valid order id. */
export const isID = (text) => /^[A-Za-z0-9._~:/#=@+-]{1,128}$/.test(text) && text !== "." && text !== "..";

/** orderPath is the path of an order, or of a step below it. */
export const orderPath = (id, step = "") => `/orders/${encodeURIComponent(id)}${step}`;

/** newKey makes an idempotency key. It works without a secure context. */
export function newKey() {
	const bytes = crypto.getRandomValues(new Uint8Array(16));
	return `page-${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
