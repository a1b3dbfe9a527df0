// First, previous, next, the page's number and size; and how many there are, in honest words.

import { go, NEWEST, SIZES, view, wishOf } from "./address.js";
import { button, h } from "./dom.js";
import { number, t } from "./words.js";

/** How many rows the list has: a number only where it is one. Knows them too where the last page is in sight. */
export function totalOf(page, rows) {
  if (page.total_relation !== "unknown") return { total: page.total, exact: page.total_relation === "exact" };
  return page.next ? { total: null, exact: false } : { total: page.start + rows, exact: true };
}

/** "1–25 of 12,345", "1–25 of more than 1,000", "1–25, and there are more". */
export function rangeWords(page, rows) {
  const { total, exact } = totalOf(page, rows);
  const range = rows ? `${number(page.start + 1)}–${number(page.start + rows)}` : number(0);
  if (total === null) return t("range.unknown", { range });
  return t(exact ? "range.exact" : "range.at_least", { range, total });
}

/** The API can jump to a page only where it need not count: the whole list, by date of registration. */
const canJump = () => !Object.keys(wishOf(view)).length && view.sort.endsWith(NEWEST.slice(1));

const move = (id, words, picture, to) =>
  button(t(words), () => to && go(to), { id, picture, bare: true, "aria-disabled": to ? null : "true" });

function pageNumber(page) {
  const now = Math.floor(page.start / page.limit) + 1;
  const pages = page.total_relation === "exact" ? Math.max(1, Math.ceil(page.total / page.limit)) : null;
  if (!pages || !canJump()) return h("span", { class: "number" }, t("page.number", { n: now }));
  const input = h("input", {
    id: "page-number",
    type: "number",
    min: 1,
    max: pages,
    value: now,
    "aria-label": t("page.label"),
    change: () => {
      const wished = Math.min(pages, Math.max(1, Math.trunc(Number(input.value)) || 1));
      input.value = wished;
      if (wished !== now) go({ page: String(wished) });
    },
  });
  return h("label", { class: "number" }, t("page.of.before"), input, t("page.of", { n: pages }));
}

function sizes() {
  const select = h(
    "select",
    { id: "page-size", "aria-label": t("page.size"), change: () => go({ limit: Number(select.value) }) },
    SIZES.map((size) => h("option", { value: size, selected: size === view.limit }, number(size))),
  );
  return h("label", null, h("span", { class: "wide" }, t("page.size")), select);
}

/** Draw the pager into `bar`, and leave the focus on the button that had it. */
export function drawPager(bar, page, rows) {
  const focused = bar.contains(document.activeElement) ? document.activeElement.id : null;
  bar.replaceChildren(
    h("p", { id: "range" }, rangeWords(page, rows)),
    sizes(),
    h(
      "div",
      { class: "moves" },
      move("page-first", "page.first", "first", page.prev || page.start ? {} : null),
      move("page-previous", "page.previous", "left", page.prev && { cursor: page.prev }),
      pageNumber(page),
      move("page-next", "page.next", "right", page.next && { cursor: page.next }),
    ),
  );
  if (focused) document.getElementById(focused)?.focus();
}
