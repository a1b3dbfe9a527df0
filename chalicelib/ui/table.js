// The rows of a list as a table; on a narrow window the same table reads as cards.

import { go, NEWEST, view } from "./address.js";
import { button, fixed, h, icon, quiet, select, theirs } from "./dom.js";
import { marked } from "./search.js";
import { day, dayOf, t, term } from "./words.js";

const PERSON = [
  ["first_name", "first_name"],
  ["last_name"],
  ["company_email"],
  ["phone_number"],
  ["company_name", "company_name"],
];
const COLUMNS = {
  customers: [...PERSON, ["ecosystem"], ["subscription", "subscription.ends_on"], ["access"], ["action"]],
  leads: [...PERSON, ["registered_at", "registered_at"], ["action"]],
};

/** A state as words in a frame: the mark in front and the words say what the colour says. */
export const state = (group, value) =>
  value ? h("span", { class: `state ${group}-${value}` }, term(group, value)) : "—";

export const fullName = (row) => [row.first_name, row.last_name].filter(Boolean).join(" ") || row.company_email || row.id;

// Each element costs: only what may need more than two lines is cut, and only what does not run from left to
// right all along (Latin, Greek and Cyrillic letters do) gets a direction of its own.
const SHORT = 16;
const PLAIN = /^[\u0000-\u058f]*$/;

function cut(text, q) {
  const long = text.length > SHORT;
  return long || q || !PLAIN.test(text) ? theirs(marked(text, q), long && { class: "clamp", title: text }) : text;
}

export const ecosystemName = (row) =>
  row.ecosystem ? cut(row.ecosystem.name) : h("span", { class: "incomplete" }, t("ecosystem.none"));

function subscription(row) {
  const { plan, status, ends_on: end } = row.subscription ?? {};
  const until = end && ` · ${day(end)}`;
  return [state("status", status), h("small", { title: end && `${t("ends_on")}: ${day(end)}` }, theirs(plan ?? ""), until)];
}

export const isSuspended = (row) => row.access === "suspended";

/** Only an ecosystem, or a suspension that waits for one, can be switched. */
export const canSwitch = (row) => Boolean(row.ecosystem) || isSuspended(row);

/** The switch; `flip` is called where it works, `explain` with the reason where it does not. */
export function accessSwitch(row, { allowed, flip, explain }) {
  const why = allowed ? null : t("switch.no_permission");
  return h(
    "button",
    {
      type: "button",
      role: "switch",
      id: `switch-${row.id}`,
      class: "switch",
      "aria-checked": String(!isSuspended(row)),
      "aria-label": `${t("column.access")}: ${fullName(row)}`,
      title: term("access", row.access),
      ...fixed(why),
      click: () => (why ? explain(why) : flip(row)),
    },
  );
}

const accessCell = (row, on) =>
  canSwitch(row) ? [accessSwitch(row, on), isSuspended(row) && state("access", row.access)] : quiet("span", "—");

const CELLS = {
  ecosystem: ecosystemName,
  subscription,
  access: accessCell,
  registered_at: (row) => dayOf(row.registered_at),
  action: (row, on) =>
    button(t("action"), () => on.detail(row), {
      kind: "small",
      id: `action-${row.id}`,
      "aria-label": `${t("action")}: ${fullName(row)}`,
    }),
};

const cell = (name, row, on) =>
  h(
    "td",
    { class: name, "data-label": t(`column.${name}`) },
    CELLS[name] ? CELLS[name](row, on) : cut(row[name] ?? "", view.q),
  );

export const drawRow = (row, on) =>
  h("tr", { "data-id": row.id, class: isSuspended(row) && "suspended" }, COLUMNS[view.list].map(([name]) => cell(name, row, on)));

function heading([name, sort]) {
  const words = t(`column.${name}`);
  if (!sort || view.q) return h("th", { scope: "col", class: name }, words);
  const [up, down] = [view.sort === sort, view.sort === `-${sort}`];
  const next = up ? `-${sort}` : sort;
  return h(
    "th",
    { scope: "col", class: name, "aria-sort": up ? "ascending" : down ? "descending" : null },
    h(
      "button",
      { type: "button", id: `sort-${name}`, click: () => go({ sort: next }) },
      words,
      up || down ? icon(up ? "up" : "down") : null,
    ),
  );
}

/** The empty table: its headings, and a body for rows. */
export function drawTable(body) {
  return h(
    "table",
    { class: view.list },
    h("caption", { class: "hidden" }, t(`list.${view.list}`)),
    drawHead(),
    body,
  );
}

/** Its headings, which say how it is sorted. */
export const drawHead = () => h("thead", null, h("tr", null, COLUMNS[view.list].map(heading)));

/** Grey bars where rows will be. */
export const skeleton = () =>
  Array.from({ length: Math.min(view.limit, 12) }, () =>
    h("tr", { class: "skeleton", "aria-hidden": "true" }, COLUMNS[view.list].map(([name]) => h("td", { class: name }, h("span")))),
  );

export function sortSelect() {
  const names = ["registered_at", "first_name", "company_name", ...(view.list === "customers" ? ["subscription.ends_on"] : [])];
  const sorts = names.flatMap((name) => (name === "registered_at" ? [NEWEST, name] : [name, `-${name}`]));
  const options = view.q ? [["", t("sort.match")]] : sorts.map((sort) => [sort, t(`sort.${sort}`)]);
  return select({ id: "sort", disabled: Boolean(view.q), "aria-label": t("sort") }, options, view.sort, (sort) => go({ sort }));
}
