// Figures and times as people read them.

const whole = new Intl.NumberFormat("en");
const rated = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const money = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const exact = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });
const hours = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

/** count writes a number of things. */
export const count = (n) => whole.format(n);

/** many writes a number of things with their name, which takes an s unless it is told otherwise. */
export const many = (n, one, more = `${one}s`) => `${count(n)} ${n === 1 ? one : more}`;

/** rate writes a number of things a second. */
export const rate = (n) => (n >= 100 ? whole.format(Math.round(n)) : rated.format(n));

/** amount writes money; amounts have no currency of their own. */
export const amount = (n) => money.format(n);

/** time writes the time of the day to the second. */
export const time = (date) => clock.format(date);

/** minute writes the time of the day to the minute. */
export const minute = (date) => hours.format(date);

/** moment writes a time that may be of another day. */
export const moment = (date) => (sameDay(date, new Date()) ? time(date) : `${day.format(date)}, ${time(date)}`);

/** instant is moment to the millisecond. */
export const instant = (date) => (sameDay(date, new Date()) ? exact.format(date) : `${day.format(date)}, ${exact.format(date)}`);

const sameDay = (a, b) => a.toDateString() === b.toDateString();

/** share writes a part of a whole in percent; little is told apart from none. */
export function share(part, of) {
	if (!of) return "0 %";
	const percent = (100 * part) / of;
	if (part > 0 && percent < 0.1) return "< 0.1 %";
	return `${percent >= 10 ? Math.round(percent) : rated.format(percent)} %`;
}

/** duration writes a span of milliseconds with at most two units. */
export function duration(ms) {
	if (ms < 0) return "0 ms";
	if (ms < 10) return `${rated.format(ms)} ms`;
	if (ms < 999.5) return `${Math.round(ms)} ms`;
	if (ms < 59_950) return `${rated.format(ms / 1000)} s`;
	const seconds = Math.round(ms / 1000);
	const units = [[86_400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
	const first = units.findIndex(([size]) => seconds >= size);
	const [size, name] = units[first];
	const rest = Math.floor((seconds % size) / units[first + 1][0]);
	return `${Math.floor(seconds / size)} ${name}${rest ? ` ${rest} ${units[first + 1][1]}` : ""}`;
}

/** age writes a span of milliseconds that is still growing, in whole seconds. */
export const age = (ms) => duration(Math.max(0, Math.floor(ms / 1000) * 1000) || 1000);

/** bytes writes an amount of memory. */
export function bytes(n) {
	const units = ["B", "kB", "MB", "GB", "TB"];
	const power = Math.min(units.length - 1, Math.floor(Math.log(Math.max(n, 1)) / Math.log(1000)));
	return `${rated.format(n / 1000 ** power)} ${units[power]}`;
}
