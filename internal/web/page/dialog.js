// The dialog of the page: a confirmation.

import { find, make, say } from "./dom.js";

/** leave answers the previous question with no, if it is still open. */
let leave = () => {};

find("#dialog-no").addEventListener("click", dismiss);

/** confirm asks a question and resolves to whether the answer is yes. Escape means no. */
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
			if (dialog.open) return; // it was the previous question that ended
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
