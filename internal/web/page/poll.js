// Reading again and again while a view is shown.

/**
 * every calls read now, and again after the pause in ms as long as the signal has not
 * ended and the page is visible. Readings do not overlap.
 */
export function every(pause, signal, read) {
	let timer;
	const go = async () => {
		if (signal.aborted) return;
		if (!document.hidden) await read();
		timer = setTimeout(go, pause);
	};
	signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
	go();
}

/** absent says that the API does not have what is asked for, if that is so. */
export function absent({ status, problem }, what) {
	if (problem?.type?.endsWith("archive-required")) return `This needs the archive: set ORDERS_ARCHIVE_URL.`;
	return status === 404 || status === 405 ? `This API knows no ${what} yet: it is older than this page.` : undefined;
}
