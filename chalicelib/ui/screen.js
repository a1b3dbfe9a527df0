// The frame around the lists: sidebar, tabs, tools; and the pages for whoever is not signed in or has no role.

import { forget, goToList, view, watch } from "./address.js";
import { signUpsChart } from "./chart.js";
import { button, fixed, h, icon, select } from "./dom.js";
import { openExports } from "./exports.js";
import { chipBar, openFilters } from "./filters.js";
import { openHelp } from "./keyboard.js";
import { searchBox } from "./search.js";
import { signOut } from "./session.js";
import { sortSelect } from "./table.js";
import { say } from "./windows.js";
import { changeLanguage, language, t } from "./words.js";

const brand = () => h("div", { class: "brand" }, h("img", { src: document.querySelector("[rel=icon]").href, alt: "" }), t("brand"));

function languageChoice(languages, drawAnew) {
  const choice = select({ id: "language" }, languages.map((tag) => [tag, t(`language.${tag}`)]), language, async (tag) => {
    // Two at a time could come in either order: one would be spoken, the other one remembered.
    choice.disabled = true;
    try {
      await changeLanguage(tag);
    } catch {
      choice.disabled = false;
      choice.value = language;
      choice.focus();
      say(t("language.failed"), { stay: true, kind: "bad" });
      return;
    }
    drawAnew();
    document.getElementById("language").focus();
  });
  return h("label", { class: "line" }, t("language"), choice);
}

/** Where `announce` tells things to whoever listens instead of looking. */
const liveRegion = () => h("div", { id: "live", class: "hidden", role: "status" });

/** A page with nothing but words and a way on. */
export function plainPage(title, paragraphs, act, languages, drawAnew) {
  return h(
    "main",
    { class: "lone" },
    h("div", { class: "sheet" }, brand(), h("h1", null, title), paragraphs.map((words) => h("p", null, words)), act),
    languageChoice(languages, drawAnew),
    h("div", { id: "toasts" }),
    liveRegion(),
  );
}

function sidebar(session, languages, drawAnew) {
  const inside = h(
    "div",
    { id: "menu", class: "menu" },
    h("nav", { "aria-label": t("nav") }, h("a", { href: "#/", "aria-current": "page" }, icon("people"), t("page.title"))),
    h(
      "div",
      { class: "settings" },
      languageChoice(languages, drawAnew),
      button(t("help"), openHelp, { id: "help", kind: "link" }),
      h("p", { class: "me" }, h("bdi", null, session.username), h("small", null, session.roles.map((role) => t(`role.${role}`)).join(", "))),
      button(t("sign_out"), signOut, { id: "sign-out" }),
    ),
  );
  const toggle = button(t("menu"), () => toggle.setAttribute("aria-expanded", String(inside.classList.toggle("open"))), {
    id: "menu-button",
    picture: "menu",
    bare: true,
    "aria-expanded": "false",
    "aria-controls": "menu",
  });
  return h("aside", { class: "side" }, h("header", null, brand(), toggle), inside);
}

function tabs(lists) {
  const all = lists.map((list) =>
    h("button", { type: "button", role: "tab", id: `tab-${list}`, "aria-controls": "panel", click: () => list !== view.list && goToList(list) }, t(`list.${list}`)),
  );
  watch((now) => {
    for (const tab of all) {
      const chosen = tab.id === `tab-${now.list}`;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
    }
    document.getElementById("panel")?.setAttribute("aria-labelledby", `tab-${now.list}`);
  });
  const step = { ArrowRight: 1, ArrowLeft: -1 };
  const keydown = (event) => {
    const next = step[event.key] && all[(all.indexOf(event.target) + step[event.key] + all.length) % all.length];
    next?.focus();
    next?.click();
  };
  return h("div", { role: "tablist", class: "tabs", "aria-label": t("page.title"), keydown }, all);
}

function exportButton(permissions) {
  const why = permissions.has("exports:read") ? null : t("export.no_permission");
  return button(t("export"), () => (why ? say(why) : openExports(permissions)), {
    id: "export",
    kind: "main",
    picture: "download",
    ...fixed(why),
  });
}

function sorting() {
  const place = h("label", { class: "line sorting" });
  watch(() => place.replaceChildren(h("span", null, t("sort")), sortSelect()));
  return place;
}

/** The whole screen; gives back the places of rows and pager. */
export function drawScreen(page, session, lists, languages, drawAnew) {
  forget();
  const permissions = new Set(session.permissions);
  const rows = h("div", { class: "rows" });
  const pager = h("nav", { class: "pager", "aria-label": t("pager") });
  const main = h(
    "main",
    { class: "work" },
    h("header", { class: "head" }, h("h1", null, t("page.title")), exportButton(permissions)),
    tabs(lists),
    h(
      "section",
      { id: "panel", role: "tabpanel", class: "panel" },
      h("div", { class: "tools" }, searchBox(), button(t("filters"), openFilters, { id: "filter", picture: "filter" }), sorting()),
      chipBar(),
      h("div", { id: "rows", class: "scroll", tabindex: "0", role: "region", "aria-label": t("rows") }, lists.includes("leads") ? signUpsChart() : null, rows),
      h("div", { class: "notices" }, h("div", { id: "jobs" }), h("div", { id: "toasts" })),
      pager,
    ),
  );
  const skip = h("a", { class: "skip", href: "#rows", click: (event) => {
    event.preventDefault();
    document.getElementById("rows").focus();
  } }, t("skip"));
  page.replaceChildren(h("div", { class: "shell" }, skip, sidebar(session, languages, drawAnew), main, liveRegion()));
  return { rows, pager };
}
