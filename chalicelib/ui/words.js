// The words of the page in the reader's language, and numbers and moments as that language writes them.

const KEY = "language";
let words = {};
let zone = null;
let numbers = null;
let formats = {};
export let language = "es";

/** Speak the language that the reader chose last, or else that of the browser, as far as it is among these. */
export async function speak(languages, timeZone) {
  zone = timeZone;
  const wished = [localStorage.getItem(KEY), ...navigator.languages.map((tag) => tag.slice(0, 2))];
  await learn(wished.find((tag) => languages.includes(tag)) ?? languages[0]);
}

/** Speak this language from now on. Throws, and goes on as before, where its words do not come. */
export async function changeLanguage(tag) {
  await learn(tag);
  localStorage.setItem(KEY, tag);
}

async function learn(tag) {
  const reply = await fetch(new URL(`./${tag}.json`, import.meta.url));
  if (!reply.ok) throw new Error(reply.status);
  words = await reply.json();
  language = tag;
  numbers = new Intl.NumberFormat(language, { useGrouping: true });
  // Making one takes far longer than using it.
  const date = (options) => new Intl.DateTimeFormat(language, { dateStyle: "medium", ...options });
  formats = {
    day: date({ timeZone: "UTC" }),
    dayOf: date({ timeZone: zone }),
    moment: date({ timeZone: zone, timeStyle: "short" }),
    time: new Intl.DateTimeFormat(language, { timeStyle: "short" }),
  };
  document.documentElement.lang = language;
  document.title = t("page.title");
}

/** The words of a key. `{name}` in them stands for a value; `n` also chooses between "one | many". */
export function t(key, values = {}) {
  const forms = words[key].split(" | ");
  const many = forms.length > 1 && new Intl.PluralRules(language).select(values.n) !== "one";
  return forms[many ? 1 : 0].replace(/\{(\w+)\}/g, (_, name) =>
    typeof values[name] === "number" ? number(values[name]) : values[name],
  );
}

/** The words for a value that the API sent, or the value itself where it is not among those we know. */
export const term = (group, value) => words[`${group}.${value}`] ?? value ?? "";

export const number = (value) => numbers.format(value);

const format = (style) => (text) => {
  const moment = new Date(text ?? "");
  return Number.isNaN(moment.getTime()) ? (text ?? "") : formats[style].format(moment);
};

/** A date (`…_on`): the same day everywhere. */
export const day = format("day");

/** An instant (`…_at`), in the time zone of the deployment. */
export const moment = format("moment");

/** The day of an instant, in the time zone of the deployment. */
export const dayOf = format("dayOf");

/** The time of an instant on the reader's clock. */
export const time = format("time");

export const size = (bytes) =>
  new Intl.NumberFormat(language, { style: "unit", unit: "kilobyte", maximumFractionDigits: 0 }).format(
    Math.ceil(bytes / 1000),
  );
