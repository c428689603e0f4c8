// The state in words, as GET /health says it, or why that is not known.

/**
 * stateOf returns level ("good", "warning", "bad" or "unknown"), words, since and detail of
 * the state, and a key that stays the same while only figures in the words change.
 */
export function stateOf({ stats, health, trouble }) {
	const { level, cause, what: words, since, advice, also = [] } = health?.verdict ?? {};
	if (trouble && level !== "bad" && level !== "warning") return troubled(trouble);
	if (!level) return stats ? state("unknown", "The state is not known", "The API did not say it.") : state("unknown", "Loading …", "");
	const error = /^shop_(down|failing)$/.test(cause) && stats?.fulfilment?.last_error;
	const detail = [advice, also.length && `Also: ${also.join("; ")}.`, error && `The last error: ${error}`].filter(Boolean).join(" ");
	return { level, key: cause ?? words, words, since, detail };
}

const state = (level, words, detail) => ({ level, key: words, words, detail });

function troubled(trouble) {
	if (trouble.status === 0) return state("bad", "Reconnecting …", "The API does not answer. It is unknown whether orders are processed.");
	if (trouble.status === 401 || trouble.status === 403) return state("bad", "Access denied", `${trouble.message} This page needs the scope read.`);
	if (trouble.status === 429) return state("warning", "Too many requests", trouble.message);
	return state("bad", "The figures cannot be read", trouble.message);
}

/** staleness is why the figures are old, or empty while they are fresh. */
export function staleness({ at, trouble }) {
	if (!trouble) return "";
	return trouble.status === 0 ? "Not connected." : at ? "No new figures." : "No figures yet.";
}
