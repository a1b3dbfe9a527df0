// Searching as one types, and showing where the words were found: without case and accents, as the API searches.

import { go, view, watch } from "./address.js";
import { h, icon } from "./dom.js";
import { announce } from "./windows.js";
import { t } from "./words.js";

const PAUSE_MS = 250;
const SHORTEST = 2;
const DIGITS = /\d/;

const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** The search box; typing searches once the typist pauses. */
export function searchBox() {
  let timer = 0;
  // While true, the address changes because of what stands in the box: not the other way round.
  let searching = false;
  // One letter is in nearly every row, and the API does not look for it: nothing is searched then.
  // Characters are counted as the API counts them: an emoji is one, of two UTF-16 units.
  const typed = () => [...input.value.trim()].length;
  const wished = () => (typed() < SHORTEST ? "" : input.value.trim());
  const search = () => {
    clearTimeout(timer);
    const q = wished();
    if (q === (view.q ?? "")) return;
    searching = true;
    go({ q }, { replace: Boolean(view.q && q) });
    searching = false;
  };
  const hint = h("p", { id: "search-short", class: "short", hidden: true }, t("search.short"));
  const explain = () => {
    hint.hidden = typed() !== 1;
  };
  const input = h("input", {
    id: "search",
    type: "search",
    placeholder: t("search.hint"),
    "aria-label": t("search"),
    "aria-keyshortcuts": "/",
    "aria-describedby": "search-short",
    maxlength: "100",
    autocomplete: "off",
    spellcheck: "false",
    input: () => {
      explain();
      // Only to whoever types: later changes of the address have things of their own to tell.
      if (!hint.hidden) announce(t("search.short"));
      clearTimeout(timer);
      timer = setTimeout(search, PAUSE_MS);
    },
    keydown: (event) => event.key === "Enter" && search(),
  });
  watch((now, before) => {
    const another = (now.q ?? "") !== (before?.q ?? "") || now.list !== before?.list;
    if (another && !searching) input.value = now.q ?? "";
    explain();
  });
  return h("div", { class: "search" }, icon("search"), input, h("kbd", { "aria-hidden": "true" }, "/"), hint);
}

/** What people wrote, in the parts that match a word of the search and those that do not. */
export function marked(text, q) {
  const words = q ? q.trim().split(/\s+/) : [];
  const ranges = words.flatMap((word) => found(text, word)).sort((a, b) => a[0] - b[0]);
  const parts = [];
  let at = 0;
  for (const [from, to] of ranges) {
    if (to <= at) continue;
    parts.push(text.slice(at, Math.max(from, at)), h("mark", null, text.slice(Math.max(from, at), to)));
    at = to;
  }
  return [...parts, text.slice(at)];
}

/** Where the word stands in the text, as [from, to) pairs; digits are also found across blanks and dashes. */
function found(text, word) {
  const digits = word.replace(/\D/g, "");
  const phone = digits.length >= SHORTEST && !/\p{L}/u.test(word);
  const letter = phone ? (char) => (DIGITS.test(char) ? char : "") : fold;
  return places(text, phone ? digits : fold(word), letter);
}

function places(text, word, letter) {
  let folded = "";
  const origin = [];
  let at = 0;
  for (const char of text) {
    // Counted as `indexOf` counts: an emoji is one character of two units.
    const units = letter(char);
    folded += units;
    for (let i = 0; i < units.length; i += 1) origin.push([at, at + char.length]);
    at += char.length;
  }
  const ranges = [];
  for (let from = folded.indexOf(word); word && from >= 0; from = folded.indexOf(word, from + word.length)) {
    ranges.push([origin[from][0], origin[from + word.length - 1][1]]);
  }
  return ranges;
}
