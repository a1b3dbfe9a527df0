// Elements without HTML strings: whatever people wrote stays text, and Trusted Types has nothing to object to.

const SVG = "http://www.w3.org/2000/svg";

// One path each, in a box of 16 × 16, drawn with strokes.
const ICONS = {
  close: "M4 4l8 8M12 4l-8 8",
  down: "M8 3v10M4 9l4 4 4-4",
  download: "M8 2v8M5 7l3 3 3-3M3 13h10",
  filter: "M2 4h12M4.5 8h7M7 12h2",
  first: "M4 3v10M12 3L7 8l5 5",
  left: "M10 3L5 8l5 5",
  menu: "M2 4h12M2 8h12M2 12h12",
  people: "M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2 14c0-6 12-6 12 0",
  right: "M6 3l5 5-5 5",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.5 10.5L14 14",
  up: "M8 13V3M4 7l4-4 4 4",
};

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if ((value ?? false) !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => (child ?? false) !== false));
  return element;
}

/** An element; a function among the attributes listens to the event of that name. */
export const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);

export const svg = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

export const icon = (name) =>
  svg("svg", { viewBox: "0 0 16 16", class: "icon", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));

/** A button with words, an icon, or both; an icon alone gets its words as its label. */
export function button(words, click, { kind = "plain", picture = null, bare = false, ...attributes } = {}) {
  const label = bare ? { "aria-label": words, title: words } : {};
  return h("button", { type: "button", class: `button ${bare ? "bare" : kind}`, click, ...label, ...attributes }, picture && icon(picture), bare ? null : words);
}

/** The attributes of a control that does not work, and says why; none where there is no reason. */
export const fixed = (why) => why && { "aria-disabled": "true", "aria-description": why, title: why };

/** A choice of one among `options`, pairs of value and words; `change` gets the value chosen. */
export const select = (attributes, options, chosen, change) =>
  h(
    "select",
    { ...attributes, change: (event) => change(event.target.value) },
    options.map(([value, words]) => h("option", { value, selected: value === chosen }, words)),
  );

/** The same with all options in sight: radio buttons, or boxes to tick where `chosen` is a list. */
export const choices = (words, name, options, chosen) =>
  h(
    "fieldset",
    null,
    h("legend", null, words),
    options.map(([value, label]) => {
      const checked = [chosen].flat().includes(value);
      const type = Array.isArray(chosen) ? "checkbox" : "radio";
      return h("label", { class: "option" }, h("input", { type, name, value, checked }), h("span", null, label));
    }),
  );

/** Draw inside `place` anew; what had the focus there gets it back by its id. */
export function redraw(place, draw) {
  const focused = place.contains(document.activeElement) && document.activeElement.id;
  draw();
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

/** An element for words of less weight. */
export const quiet = (tag, ...words) => h(tag, { class: "quiet" }, words);

/** What people wrote, in its own direction. */
export const theirs = (text, attributes) => h("bdi", attributes, text);

/** The rows of a description list: pairs of term and description; an empty one reads as a dash. */
export const facts = (pairs) =>
  h("dl", { class: "facts" }, pairs.map(([term, value]) => h("div", null, h("dt", null, term), h("dd", null, value || "—"))));
