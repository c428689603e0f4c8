// Numbers and times for people.

const whole = new Intl.NumberFormat("en");
const rated = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const money = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const timeOfDay = { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" };
const clock = new Intl.DateTimeFormat("en-GB", timeOfDay);
const exactClock = new Intl.DateTimeFormat("en-GB", { ...timeOfDay, fractionalSecondDigits: 3 });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

/** count writes a number of things. */
export const count = (n) => whole.format(n);

/** counted writes a number that may be unknown. */
export const counted = (n, write = count) => (Number.isFinite(n) ? write(n) : "–");

/** many writes a number of things with their name, whose plural has an s unless one is given. */
export function many(n, one, more = `${one}s`, write = count) {
	const text = write(n);
	return `${text} ${text === "1" ? one : more}`;
}

/** rate writes a number of things a second. */
export const rate = (n) => (n >= 100 ? whole.format(Math.round(n)) : rated.format(n));

/** brief writes a number in at most seven characters. */
export const brief = (n) => (n >= 100_000 ? compact.format(n) : rate(n));

/** amount writes money: with its currency, if it has one of its own. */
export function amount(n, currency) {
	if (!currency) return money.format(n);
	// No digit is hidden, even where the browser knows fewer decimals than ISO 4217.
	return new Intl.NumberFormat("en", { style: "currency", currency, currencyDisplay: "code", maximumFractionDigits: 4 }).format(n);
}

/** moment writes a local time with its zone, and its day unless that is today; exact has milliseconds. */
export function moment(date, exact = false) {
	const text = (exact ? exactClock : clock).format(date);
	return date.toDateString() === new Date().toDateString() ? text : `${day.format(date)}, ${text}`;
}

/** ago writes how long ago something was, in one unit, or how soon it comes if the ms are below 0. */
export function ago(ms) {
	if (Math.abs(ms) < 1000) return "now";
	const [n, unit] = age(Math.abs(ms)).split(" ");
	return ms > 0 ? `${n} ${unit} ago` : `in ${n} ${unit}`;
}

/** share writes a part of a whole in percent; a little is not written as none. */
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

/** bytes writes an amount of memory as orderctl does. */
export function bytes(n) {
	const mebibytes = n / 2 ** 20;
	return `${mebibytes < 9.95 ? mebibytes.toFixed(1) : count(Math.round(mebibytes))} MiB`;
}
