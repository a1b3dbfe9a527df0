// Keys for what one does all day, a sheet that lists them, and a switch that turns them off (WCAG 2.1.4).

import { h } from "./dom.js";
import { openWindow } from "./windows.js";
import { t } from "./words.js";

const OFF = "keys-off";
// Key → the id of what it presses or goes to, and the words for it.
const KEYS = {
  "/": ["search", "search"],
  c: ["tab-customers", "list.customers"],
  l: ["tab-leads", "list.leads"],
  f: ["filter", "filters"],
  e: ["export", "export"],
  ",": ["page-previous", "page.previous"],
  ".": ["page-next", "page.next"],
  r: ["rows", "skip"],
};

export function startKeys() {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || localStorage.getItem(OFF)) return;
    if (event.target.closest("input, textarea, select") || document.querySelector("dialog[open]")) return;
    if (event.key === "?") openHelp();
    else if (!press(KEYS[event.key]?.[0])) return;
    event.preventDefault();
  });
}

function press(id) {
  const target = id && document.getElementById(id);
  if (!target) return false;
  target.focus();
  if (target.matches("button")) target.click();
  return true;
}

const row = (keys, words) => h("div", null, h("dt", null, keys.map((key) => h("kbd", null, key))), h("dd", null, words));

export function openHelp() {
  const toggle = h("input", {
    type: "checkbox",
    id: "keys-on",
    checked: !localStorage.getItem(OFF),
    change: () => (toggle.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1")),
  });
  openWindow(
    t("help"),
    [
      h("label", { class: "option" }, toggle, h("span", null, t("help.on"))),
      h(
        "dl",
        { class: "keys" },
        Object.entries(KEYS).map(([key, [, words]]) => row([key], t(words))),
        row(["?"], t("help")),
        row(["←", "→"], t("help.arrows")),
        row(["Esc"], t("help.escape")),
      ),
    ],
  );
}
