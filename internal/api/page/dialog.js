// The one dialog of the page: a question before something is done.

import { find, make, say } from "./dom.js";

/** leave answers the question before with no, if browsers have not told its end yet. */
let leave = () => {};

find("#dialog-no").addEventListener("click", dismiss);

/**
 * confirm asks a question and resolves to whether it was answered with yes. Escape
 * means no. The focus goes back to where it was.
 */
export function confirm({ title, body, yes, danger = false }) {
	leave();
	const dialog = find("#dialog");
	const button = find("#dialog-yes");
	say(find("#dialog-title"), title);
	find("#dialog-body").replaceChildren(...body.map((part) => (typeof part === "string" ? make("p", {}, part) : part)));
	button.textContent = yes;
	button.classList.toggle("danger", danger);
	dialog.returnValue = "no";
	dialog.showModal();
	find("input, textarea", dialog)?.focus();
	return new Promise((resolve) => {
		const ended = () => {
			if (dialog.open) return; // it is the end of the question before
			dialog.removeEventListener("close", ended);
			resolve(dialog.returnValue === "yes");
		};
		leave = () => {
			dialog.removeEventListener("close", ended);
			resolve(false);
		};
		dialog.addEventListener("close", ended);
	});
}

/** dismiss closes the dialog as Escape does. */
export function dismiss() {
	const dialog = find("#dialog");
	if (dialog.open) dialog.close("no");
}
