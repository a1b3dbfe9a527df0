// Filters: a window to choose them, chips that show them and take them away one by one.

import { filtersOf, go, view, watch } from "./address.js";
import { get } from "./api.js";
import { button, choices, h, icon, quiet, theirs } from "./dom.js";
import { actions, openWindow, trouble } from "./windows.js";
import { day, t, term } from "./words.js";

const CHOICES = {
  access: ["active", "suspended"],
  ecosystem: ["deployed", "none"],
  billing_period: ["monthly", "annual"],
};
const STATES = ["trialing", "active", "past_due", "suspended", "cancelled", "expired"];

const chosenWords = (name, value) => {
  if (name.startsWith("registered")) return day(value);
  return name === "plan" || name === "q" ? theirs(value) : term(name, value);
};

/** What the screen is narrowed to, one chip each; `remove` gets the name and the value of one. */
export function chips(wish, remove = null) {
  return Object.entries(wish).flatMap(([name, values]) =>
    [values].flat().map((value) => {
      const said = chosenWords(name, value);
      const words = [quiet("span", t(`filter.${name}`)), " ", said];
      return remove
        ? h(
            "button",
            { type: "button", class: "chip", click: () => remove(name, value), "aria-label": t("filter.remove", { name: t(`filter.${name}`), value: said.textContent ?? said }) },
            words,
            icon("close"),
          )
        : h("span", { class: "chip" }, words);
    }),
  );
}

function narrow(wish) {
  go(wish);
  document.getElementById("filter").focus();
}

const unset = (name, value) => narrow({ [name]: [view[name]].flat().filter((one) => one !== value) });

const clear = () => narrow(Object.fromEntries(Object.keys(filtersOf(view)).map((name) => [name, null])));

/** The bar of chips: empty, and without a place, while nothing is filtered. */
export function chipBar() {
  const bar = h("div", { class: "chips", role: "group", "aria-label": t("filters.active") });
  watch((now) => {
    const all = chips(filtersOf(now), unset);
    bar.replaceChildren(...all, all.length ? button(t("filters.clear"), clear, { kind: "link" }) : "");
    bar.hidden = !all.length;
  });
  return bar;
}

const choice = (name) =>
  choices(t(`filter.${name}`), name, ["", ...CHOICES[name]].map((value) => [value, value ? term(name, value) : t("any")]), view[name] ?? "");

const several = (name, values, chosen = view[name] ?? []) =>
  choices(t(`filter.${name}`), name, values.map((value) => [value, chosenWords(name, value)]), chosen);

/**
 * All plans that customers have, and those of the address; they come from the API while the window is open.
 * Where it cannot tell all of them, one can be typed.
 */
function plans() {
  const place = h("div", { class: "stack" });
  const draw = (known, more) => {
    const chosen = place.firstChild ? [...place.querySelectorAll(":checked")].map((one) => one.value) : view.plan;
    place.replaceChildren(several("plan", [...new Set([...known, ...(view.plan ?? [])])], chosen), more);
  };
  const load = async () => {
    try {
      const { complete, facets } = await get("v1/facets?list=customers");
      draw((facets.plan ?? []).map((one) => one.value), complete ? "" : field("plan", { maxlength: 100 }));
    } catch (error) {
      draw([], trouble(error, load));
    }
  };
  draw([], quiet("p", t("loading")));
  load();
  return place;
}

const field = (name, attributes) => h("label", { class: "field" }, t(`filter.${name}`), h("input", { name, ...attributes }));

const dateField = (name) => field(name, { type: "date", value: view[name], min: "2000-01-01", max: "2999-12-31" });

export function openFilters() {
  const form = h(
    "form",
    { method: "dialog", submit: () => go(read(form)) },
    view.list === "customers" && [Object.keys(CHOICES).map(choice), several("status", STATES), plans()],
    h("div", { class: "pair" }, dateField("registered_from"), dateField("registered_to")),
    actions(button(t("filters.apply"), () => {}, { kind: "main", type: "submit" })),
  );
  openWindow(t("filters"), form, { kind: "medium" });
}

function read(form) {
  const data = new FormData(form);
  return Object.fromEntries([...form.elements].map(({ name }) => [name, data.getAll(name).filter(Boolean)]));
}
