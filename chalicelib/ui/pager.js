// First, previous, next, the page's number and size; and how many there are, in honest words.

import { go, NEWEST, SIZES, view, wishOf } from "./address.js";
import { button, h, select } from "./dom.js";
import { number, t } from "./words.js";

/** Where the API stops counting: "at least" that many then means "more than". */
const MOST_COUNTED = 1000;

/** What is known of the number of rows: `exact`, `at_least`, `more_than` or `unknown`; the last page tells it anyway. */
export function known({ total, total_relation: relation, start, next }, rows) {
  if (relation === "unknown" && !next) return ["exact", start + rows];
  return [relation === "at_least" && total === MOST_COUNTED ? "more_than" : relation, total];
}

/** "1–25 of 12,345", "1–25 of more than 1,000", "1–25, and there are more". */
export function rangeWords(page, rows) {
  const [relation, total] = known(page, rows);
  const range = rows ? `${number(page.start + 1)}–${number(page.start + rows)}` : number(0);
  return t(`range.${relation}`, { range, total });
}

/** The API can jump to a page only where it need not count: the whole list, by date of registration. */
const canJump = () => !Object.keys(wishOf(view)).length && view.sort.endsWith(NEWEST.slice(1));

const move = (id, words, picture, to) =>
  button(t(words), () => to && go(to), { id, picture, bare: true, "aria-disabled": to ? null : "true" });

function pageNumber(page) {
  const now = Math.floor(page.start / page.limit) + 1;
  const pages = page.total_relation === "exact" ? Math.max(1, Math.ceil(page.total / page.limit)) : null;
  if (!pages || !canJump()) return h("span", { class: "number" }, `${t("page.label")} ${number(now)}`);
  const input = h("input", {
    id: "page-number",
    type: "number",
    min: 1,
    max: pages,
    value: now,
    change: () => {
      const wished = Math.min(pages, Math.max(1, Math.trunc(Number(input.value)) || 1));
      input.value = wished;
      if (wished !== now) go({ page: String(wished) });
    },
  });
  return h("label", { class: "number" }, t("page.label"), input, t("page.of", { n: pages }));
}

function sizes() {
  const choice = select({ id: "page-size", "aria-label": t("page.size") }, SIZES.map((size) => [size, number(size)]), view.limit, (size) =>
    go({ limit: Number(size) }),
  );
  return h("label", null, h("span", { class: "wide" }, t("page.size")), choice);
}

export function drawPager(bar, page, rows) {
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
}
