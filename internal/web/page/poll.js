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
