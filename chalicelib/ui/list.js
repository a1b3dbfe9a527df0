// The list on the screen: fetches its rows, and shows them, their absence, the waiting or the trouble.

import { filtersOf, go, rowsPath, view, watch } from "./address.js";
import { flipAccess } from "./access.js";
import { get } from "./api.js";
import { button, h, redraw } from "./dom.js";
import { drawPager, rangeWords } from "./pager.js";
import { accessSwitch, drawHead, drawRow, drawTable, skeleton } from "./table.js";
import { announce, say, trouble } from "./windows.js";
import { t } from "./words.js";

const SKELETON_AFTER_MS = 200;
let permissions = new Set();
let body = null;
let aborting = null;
/** The page of the list that is shown: its rows, and what the API said of it. */
export let shown = { data: [], page: null };

const handlers = {
  get allowed() {
    return permissions.has("access:change");
  },
  flip: (row) => flipAccess(row, changed),
  explain: say,
  detail: (row) => go({ open: row.id }),
};

export const switchOf = (row) => accessSwitch(row, handlers);

/** Show the row as it is now, wherever it stands on the screen. */
export function update(row) {
  shown.data = shown.data.map((one) => (one.id === row.id ? row : one));
  const place = body.querySelector(`tr[data-id="${CSS.escape(row.id)}"]`);
  if (!place) return;
  redraw(place, () => place.replaceWith(drawRow(row, handlers)));
}

/** The same after a change of access, which the detail window wants to know of, too. */
function changed(row) {
  update(row);
  dispatchEvent(new CustomEvent("changed"));
}

/** Keep the list in the elements `rows` and `pager` as the address wishes it. */
export function startList(given, rows, pager) {
  permissions = given;
  let key = null;
  blockWhileBusy(pager);
  watch((now) => {
    const { open: _, ...wished } = now;
    if (JSON.stringify(wished) === key) return;
    key = JSON.stringify(wished);
    loadRows(rows, pager);
  });
}

/** The cursors of the page that is shown do not fit the list that is loading. */
function blockWhileBusy(pager) {
  const stop = (event) => {
    if (pager.ariaBusy !== "true" || !event.target.closest(".moves")) return;
    event.preventDefault();
    event.stopPropagation();
  };
  for (const name of ["click", "change"]) pager.addEventListener(name, stop, true);
}

async function loadRows(rows, pager) {
  aborting?.abort();
  aborting = new AbortController();
  const { signal } = aborting;
  frame(rows);
  shown = { data: [], page: null };
  rows.setAttribute("aria-busy", "true");
  pager.ariaBusy = "true";
  pager.querySelector("#range")?.replaceChildren(t("loading"));
  const waiting = setTimeout(() => body.replaceChildren(...skeleton()), SKELETON_AFTER_MS);
  try {
    const answer = await get(rowsPath(view), signal);
    clearTimeout(waiting);
    drawRows(rows, pager, answer);
  } catch (error) {
    clearTimeout(waiting);
    if (error.name === "AbortError") return;
    fail(rows, pager, error);
    if (signal.aborted) return;
  }
  rows.removeAttribute("aria-busy");
  pager.ariaBusy = null;
}

/** A table of this list's columns around the body; the rows of before stay while new ones are on their way. */
function frame(rows) {
  const table = rows.querySelector("table");
  if (table?.className !== view.list) {
    body = h("tbody");
    rows.replaceChildren(drawTable(body));
    return;
  }
  redraw(rows, () => table.tHead.replaceWith(drawHead()));
  const words = rows.querySelector(":scope > .empty, :scope > .trouble");
  words?.remove();
  if (words) catchFocus(rows);
}

function drawRows(rows, pager, answer) {
  shown = answer;
  body.replaceChildren(...answer.data.map((row) => drawRow(row, handlers)));
  if (!answer.data.length) rows.append(empty(answer.page));
  showTop(rows.parentElement);
  redraw(pager, () => drawPager(pager, answer.page, answer.data.length));
  announce(rangeWords(answer.page, answer.data.length));
  dispatchEvent(new CustomEvent("rows"));
}

/** A new page begins at its first row, whether the list or the document scrolls. */
function showTop(place) {
  place.scrollTop = 0;
  if (place.getBoundingClientRect().top < 0) place.scrollIntoView();
}

function empty(page) {
  const filtered = view.q || Object.keys(filtersOf(view)).length;
  if (page.next) {
    return note(t("empty.so_far"), t("empty.so_far.why"), button(t("empty.go_on"), () => go({ cursor: page.next }), { kind: "main" }));
  }
  if (!filtered) return note(t(`empty.${view.list}`), t("empty.why"));
  const reset = Object.fromEntries(["q", ...Object.keys(filtersOf(view))].map((name) => [name, null]));
  return note(t("empty.nothing"), null, button(t("empty.reset"), () => go(reset), { kind: "main" }));
}

const note = (title, why, act) => h("div", { class: "empty" }, h("strong", null, title), why && h("p", null, why), act);

function fail(rows, pager, error) {
  if (["stale-cursor", "page-out-of-reach"].includes(error.code)) {
    say(t("problem.stale-cursor"));
    go({}, { replace: true });
    return;
  }
  body.replaceChildren();
  pager.replaceChildren();
  rows.append(trouble(error, () => loadRows(rows, pager)));
  catchFocus(rows);
}

/** Give the list the focus where what had it is gone; whoever types elsewhere keeps it. */
function catchFocus(rows) {
  if (document.activeElement === document.body) rows.parentElement.focus({ preventScroll: true });
}
