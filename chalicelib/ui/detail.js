// The detail window: everything about one customer or lead, with an address of its own.

import { go, view, watch } from "./address.js";
import { get, tenOf } from "./api.js";
import { button, facts, h, quiet, redraw, theirs } from "./dom.js";
import { shown, switchOf, update } from "./list.js";
import { canSwitch, ecosystemName, fullName, state } from "./table.js";
import { openWindow, trouble } from "./windows.js";
import { day, moment, number, t, term } from "./words.js";

let granted = new Set();
let dialog = null;

/** Keep the window as the address wishes it. */
export function startDetail(given) {
  granted = given;
  watch((now) => {
    if (!now.open) dialog?.close();
    else if (dialog?.dataset.of !== now.open) openRow(now.open);
  });
}

addEventListener("rows", () => dialog && walkers());

function openRow(id) {
  if (!dialog) {
    dialog = openWindow("", [h("div", { class: "walk" }), h("div", { id: "detail" }, t("loading"))], {
      kind: "large",
      closed: () => {
        dialog = null;
        if (view.open) go({ open: null });
      },
    });
    dialog.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (step && !event.target.closest("textarea, input")) walk(step);
    });
  }
  dialog.dataset.of = id;
  walkers();
  loadRow(id);
}

async function loadRow(id) {
  const place = dialog.querySelector("#detail");
  place.setAttribute("aria-busy", "true");
  try {
    const row = await get(`v1/${view.list}/${encodeURIComponent(id)}`);
    if (dialog?.dataset.of !== id) return;
    update(row);
    drawDetail(row);
  } catch (error) {
    if (dialog?.dataset.of !== id) return;
    title(id);
    fillWindow(trouble(error, () => loadRow(id)));
  }
  place.removeAttribute("aria-busy");
}

const position = () => shown.data.findIndex((row) => row.id === dialog.dataset.of);

function walk(step) {
  const next = shown.data[position() + step];
  if (next && position() >= 0) go({ open: next.id }, { replace: true });
}

function walkers() {
  const at = position();
  const place = dialog.querySelector(".walk");
  const move = (id, words, picture, step) =>
    button(t(words), () => walk(step), {
      id,
      picture,
      bare: true,
      "aria-disabled": at < 0 || !shown.data[at + step] ? "true" : null,
    });
  const where = at < 0 ? "" : t("detail.of", { at: at + 1, n: shown.data.length });
  const parts = [move("detail-previous", "detail.previous", "left", -1), move("detail-next", "detail.next", "right", 1)];
  redraw(place, () => place.replaceChildren(...parts, quiet("span", where)));
}

const title = (words) => dialog.querySelector("h2").replaceChildren(theirs(words));

function drawDetail(row) {
  title(fullName(row));
  const parts = [part("detail.person", facts(personFacts(row)))];
  if (view.list === "customers") {
    const { subscription } = row;
    parts.push(part("detail.subscription", facts(subscribed(subscription ?? {}))));
    parts.push(part("filter.ecosystem", facts(ecosystem(row)), access(row)));
    parts.push(part("encounters", encounters(subscription?.encounters)));
    parts.push(part("licences", licences(subscription?.licences)));
    const mayHaveHistory = row.ecosystem || row.access_change;
    if (granted.has("audit:read") && mayHaveHistory) parts.push(part("history", switchHistory(row)));
  }
  fillWindow(...parts);
}

/** Draw the content anew; the focus stays where it was, or in the window at least. */
function fillWindow(...parts) {
  const place = dialog.querySelector("#detail");
  redraw(place, () => place.replaceChildren(...parts));
  if (document.activeElement === document.body) dialog.querySelector("h2").focus();
}

const part = (name, ...content) => h("section", { class: name.replace(".", "-") }, h("h3", null, t(name)), content);

const personFacts = (row) => [
  ...["first_name", "last_name", "company_email", "phone_number", "company_name"].map((name) => [
    t(`column.${name}`),
    row[name] && theirs(row[name]),
  ]),
  [t("column.registered_at"), moment(row.registered_at)],
];

const subscribed = ({ plan, billing_period: period, status, starts_on: start, ends_on: end }) => [
  [t("filter.plan"), plan && theirs(plan)],
  [t("filter.billing_period"), term("billing_period", period)],
  [t("filter.status"), state("status", status)],
  [t("starts_on"), start && day(start)],
  [t("ends_on"), end && day(end)],
];

const ecosystem = (row) => [
  [t("column.ecosystem"), ecosystemName(row)],
  ...(row.ecosystem ? [[t("deployed_at"), moment(row.ecosystem.deployed_at)]] : []),
];

function access(row) {
  const last = row.access_change;
  return h(
    "div",
    { class: "line" },
    canSwitch(row)
      ? [Object.assign(switchOf(row), { id: "detail-switch" }), state("access", row.access)]
      : quiet("span", t("problem.no-ecosystem")),
    last && quiet("span", `${moment(last.at)} · `, theirs(last.by)),
  );
}

// After a switch, everything about this customer is read again.
addEventListener("changed", () => dialog && loadRow(dialog.dataset.of));

function encounters(given) {
  if (!given) return h("p", null, "—");
  const [included, used] = [given.included ?? 0, given.used ?? 0];
  return [
    h("p", null, t("encounters.of", { used, n: included })),
    h("meter", { min: 0, max: included || 1, value: used, high: (included || 1) * 0.9, "aria-label": t("encounters") }),
  ];
}

function licences(given = []) {
  const total = given.reduce((sum, one) => sum + one.count, 0);
  return facts([...given.map((one) => [term("licence", one.status), number(one.count)]), [t("licences.total"), number(total)]]);
}

function switchHistory(row) {
  const list = h("ol");
  more(row, list, null);
  return list;
}

async function more(row, list, cursor) {
  try {
    const answer = await tenOf(`v1/customers/${row.id}/access/history`, cursor);
    list.append(...answer.data.map(historyEntry));
    if (!list.children.length) list.append(quiet("li", t("history.empty")));
    const { next } = answer.page;
    if (!next) return;
    const further = h("li", null, button(t("more"), () => {
      further.remove();
      more(row, list, next);
    }, { kind: "link" }));
    list.append(further);
  } catch (error) {
    list.append(h("li", null, trouble(error)));
  }
}

const whyUnsaid = (one) => (one.kept_from ? `history.kept.${one.kept_from}` : "history.no_reason");

const historyEntry = (one) =>
  h(
    "li",
    null,
    state("access", one.to),
    h("span", null, one.reason ? theirs(one.reason) : quiet("span", t(whyUnsaid(one)))),
    h("small", null, `${moment(one.at)} · `, theirs(one.by)),
  );
