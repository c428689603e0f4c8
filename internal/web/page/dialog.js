// The dialog of the page: a confirmation, with a reason if one is wanted.

import { find, make, say, show } from "./dom.js";

/** leave answers the previous question with no, if it is still open. */
let leave = () => {};

find("#dialog-no").addEventListener("click", dismiss);

/** longest is how long a reason may be, in characters; the API refuses more. */
const longest = 250;

/**
 * confirm asks a question and resolves to whether the answer is yes. Escape means no. With
 * an empty no there is only one answer.
 */
export function confirm({ title, body, yes, no = "Leave it", danger = false }) {
	leave();
	const dialog = find("#dialog");
	const button = find("#dialog-yes");
	say(find("#dialog-title"), title);
	find("#dialog-body").replaceChildren(...body.map((part) => (typeof part === "string" ? make("p", {}, part) : part)));
	button.textContent = yes;
	say(find("#dialog-no"), no);
	show(find("#dialog-no"), no !== "");
	button.classList.toggle("danger", danger);
	dialog.returnValue = "no";
	dialog.showModal();
	find("input:not([type=checkbox]), textarea", dialog)?.focus();
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

/** reasonField is a field for a reason of at most so many characters: its label, and the input. */
export function reasonField({ name, label, required = false, most = longest }) {
	const reason = make("input", { id: `${name}-reason`, maxlength: String(most), autocomplete: "off", required, pattern: required && ".*\\S.*", title: required && "A reason, in words" });
	return [make("label", { for: reason.id }, label), reason];
}

/**
 * askWhy asks a question and for a reason, with a field of that name, and resolves to the
 * body of a request, or to null if the answer is no.
 */
export async function askWhy({ name, label, required, body, ...question }) {
	const parts = reasonField({ name, label, required });
	const sure = await confirm({ ...question, body: [...body, ...parts] });
	const text = parts[1].value.trim();
	return sure ? (text ? { reason: text } : {}) : null;
}

/** dismiss closes the dialog as Escape does. */
export function dismiss() {
	const dialog = find("#dialog");
	if (dialog.open) dialog.close("no");
}
