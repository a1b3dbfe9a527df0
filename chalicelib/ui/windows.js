// Dialogs and messages. A closed dialog gives the focus back; messages have a place of their own and cover nothing.

import { Problem } from "./api.js";
import { button, h, quiet } from "./dom.js";
import { t } from "./words.js";

const STAY_MS = 10_000;
const MOST_MESSAGES = 3;

/**
 * A modal dialog, open. `content` is what stands under the title; `closed` runs once it is gone.
 * The element that had the focus gets it back, or the one with the same id, should it have been drawn anew.
 */
export function openWindow(title, content, { closed = () => {}, kind = "small", kept = false } = {}) {
  const before = document.activeElement;
  const dialog = h(
    "dialog",
    { class: `window ${kind}`, "aria-labelledby": "window-title" },
    h(
      "header",
      null,
      h("h2", { id: "window-title", tabindex: "-1" }, title),
      kept ? null : button(t("close"), () => dialog.close(), { picture: "close", bare: true }),
    ),
    h("div", { class: "inside" }, content),
  );
  if (kept) dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog && !kept) dialog.close();
  });
  dialog.addEventListener("close", () => {
    place()?.append(...dialog.querySelectorAll(".toast"));
    dialog.remove();
    const back = before?.isConnected ? before : document.getElementById(before?.id || "rows");
    back?.focus({ preventScroll: true });
    closed();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

export const actions = (...buttons) => h("div", { class: "actions" }, buttons);

/** Where messages stand: where the reader is, which is the dialog that was opened last, should there be one. */
const place = () => [...document.querySelectorAll("dialog[open] .inside")].at(-1) ?? document.getElementById("toasts");

/** Tell whoever listens instead of looking. */
export function announce(words) {
  const live = document.getElementById("live");
  if (live) live.textContent = words;
}

/** Say something in the place for messages; without `stay` it goes by itself, unless it has the focus. */
export function say(words, { act = null, stay = false, kind = "note" } = {}) {
  const dismiss = () => note.remove();
  const note = h(
    "div",
    { class: `toast ${kind}`, "data-words": words },
    h("p", null, words),
    act &&
      button(act.words, () => {
        dismiss();
        act.run();
      }),
    button(t("close"), dismiss, { picture: "close", bare: true }),
  );
  // An open dialog silences all that is outside of it.
  if (document.querySelector("dialog[open]")) note.role = "alert";
  else announce(words);
  const others = [...document.querySelectorAll(".toast")];
  others.filter((one) => one.dataset.words === words).forEach((one) => one.remove());
  others.filter((one) => one.isConnected).slice(0, 1 - MOST_MESSAGES).forEach((one) => one.remove());
  place()?.append(note);
  const go = () => (note.matches(":hover, :focus-within") ? setTimeout(go, STAY_MS) : dismiss());
  if (!stay) setTimeout(go, STAY_MS);
}

/**
 * What to show of an error: what happened, what can be done, and by which name we find it in the logs.
 * Where only waiting helps, `again` runs by itself after it, unless the reader has gone elsewhere.
 */
export function trouble(error, again) {
  if (!(error instanceof Problem)) throw error;
  const place = h(
    "div",
    { class: "trouble", role: "alert" },
    h("p", null, h("strong", null, error.words)),
    (error.body.errors ?? []).map((one) => h("p", null, h("bdi", null, `${one.name}: ${one.detail}`))),
    error.body.request_id && quiet("p", t("request.id"), " ", h("code", null, error.body.request_id)),
    again && button(t("again"), again, { kind: "main" }),
  );
  if (again && error.code === "too-much-read") setTimeout(() => place.isConnected && again(), error.body.n * 1000);
  return place;
}
