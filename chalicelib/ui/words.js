// The words of the page in the reader's language, and numbers and moments as that language writes them.

const KEY = "language";
let words = {};
let zone = "UTC";
export let language = "es";

export async function speak(languages, timeZone) {
  const wished = [localStorage.getItem(KEY), ...navigator.languages.map((tag) => tag.slice(0, 2))];
  language = wished.find((tag) => languages.includes(tag)) ?? languages[0];
  zone = timeZone;
  words = await (await fetch(`ui/${language}.json`)).json();
  document.documentElement.lang = language;
  document.title = t("page.title");
}

export function changeLanguage(tag) {
  localStorage.setItem(KEY, tag);
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

export const number = (value) => new Intl.NumberFormat(language, { useGrouping: true }).format(value);

const format = (text, options) => {
  const moment = new Date(text);
  return Number.isNaN(moment.getTime()) ? (text ?? "") : new Intl.DateTimeFormat(language, options).format(moment);
};

/** A date (`…_on`): the same day everywhere. */
export const day = (text) => format(text, { dateStyle: "medium", timeZone: "UTC" });

/** An instant (`…_at`), in the time zone of the deployment. */
export const moment = (text) => format(text, { dateStyle: "medium", timeStyle: "short", timeZone: zone });

/** The day of an instant, in the time zone of the deployment. */
export const dayOf = (text) => format(text, { dateStyle: "medium", timeZone: zone });

export const time = (text) => format(text, { timeStyle: "short" });

export const size = (bytes) =>
  new Intl.NumberFormat(language, { style: "unit", unit: "kilobyte", maximumFractionDigits: 0 }).format(
    Math.ceil(bytes / 1000),
  );
