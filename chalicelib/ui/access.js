// The switch: whom it hits, why, the result at once, a way back, and what somebody else did meanwhile.

import { call, get } from "./api.js";
import { button, facts, h, quiet, theirs } from "./dom.js";
import { fullName } from "./table.js";
import { actions, openWindow, say, trouble } from "./windows.js";
import { moment, number, t, term } from "./words.js";

const SHORTEST_REASON = 3;
const FIRST = "button.main, textarea";
/** Reasons that were written and not sent, by customer and change: closing the dialog loses none. */
const drafts = new Map();

const change = async (row, access, reason) =>
  (
    await call("PUT", `v1/customers/${row.id}/access`, {
      body: { access, reason: reason || undefined },
      headers: { "If-Match": `"${row.version}"` },
    })
  ).data;

const licencesInUse = (row) =>
  (row.subscription?.licences ?? []).filter((part) => part.status === "assigned").reduce((sum, part) => sum + part.count, 0);

/** Ask whether to switch the access of the row over, and do it; `update` is told of each newer state. */
export function flipAccess(row, update) {
  const inside = h("div", { class: "stack", "aria-busy": "true" }, quiet("p", t("loading")));
  const wished = row.access === "active" ? "suspended" : "active";
  const dialog = openWindow(t(`switch.${wished}.title`), inside);
  ask({ id: row.id, wished, dialog, inside, update });
}

async function ask(wish) {
  const { inside } = wish;
  try {
    const row = await get(`v1/customers/${wish.id}`);
    wish.update(row);
    present(wish, row);
  } catch (error) {
    inside.replaceChildren(trouble(error, () => ask(wish)));
  }
  inside.removeAttribute("aria-busy");
}

function present(wish, row, notice) {
  wish.inside.replaceChildren(...form(wish, row, notice));
  wish.inside.querySelector(FIRST)?.focus();
}

/** The dialog's content for the row as it is now; `notice` stands above it. */
function form(wish, row, notice = "") {
  const { wished, dialog } = wish;
  if (row.access === wished) {
    dialog.querySelector("h2").textContent = t(`switch.${wished}.already`);
    return [notice || lastChange(row), whom(row), actions(button(t("close"), () => dialog.close(), { kind: "main" }))];
  }
  const suspending = wished === "suspended";
  const draft = `${wish.id} ${wished}`;
  const reason = h("textarea", {
    id: "reason",
    input: () => drafts.set(draft, reason.value),
    rows: "3",
    maxlength: "500",
    required: suspending,
    minlength: SHORTEST_REASON,
    "aria-describedby": "reason-hint",
  });
  reason.value = drafts.get(draft) ?? "";
  const discard = () => {
    drafts.delete(draft);
    dialog.close();
  };
  const submit = button(t(`switch.${wished}.do`), () => {}, { type: "submit", kind: suspending ? "danger" : "main" });
  const answer = h("div");
  return [
    notice,
    h("p", { class: suspending ? "warning" : "" }, t(`switch.${wished}.effect`)),
    whom(row),
    h(
      "form",
      {
        submit: (event) => {
          event.preventDefault();
          carryOut(wish, row, reason, submit, answer);
        },
      },
      h("label", { class: "field" }, t(suspending ? "reason" : "reason.optional"), reason),
      h("p", { id: "reason-hint", class: "quiet" }, t("reason.hint")),
      answer,
      actions(button(t("cancel"), discard), submit),
    ),
  ];
}

const whom = (row) =>
  facts([
    [t("column.customer"), theirs(fullName(row))],
    [t("column.company_name"), theirs(row.company_name)],
    [t("column.ecosystem"), row.ecosystem && theirs(row.ecosystem.name)],
    [t("licences.in_use"), number(licencesInUse(row))],
    [t("filter.access"), term("access", row.access)],
  ]);

async function carryOut(wish, row, reason, submit, answer) {
  const text = reason.value.trim();
  const short = text.length < SHORTEST_REASON && (text || wish.wished === "suspended");
  reason.setAttribute("aria-invalid", String(Boolean(short)));
  if (short) {
    answer.replaceChildren(h("p", { class: "wrong", role: "alert" }, t("reason.short")));
    reason.focus();
    return;
  }
  submit.disabled = true;
  try {
    const now = await change(row, wish.wished, text);
    drafts.delete(`${wish.id} ${wish.wished}`);
    wish.dialog.close();
    wish.update(now);
    offerUndo(now, wish.update);
  } catch (error) {
    submit.disabled = false;
    if (!wish.dialog.open) complain(error, wish.update);
    else if (error.code !== "version-conflict") answer.replaceChildren(trouble(error));
    else conflict(wish, error.body.current);
  }
}

/** Somebody was faster: show what is true now, by whom and why, and let the reader decide again. */
function conflict(wish, current) {
  wish.update(current);
  present(wish, current, lastChange(current, t("conflict")));
}

/** Who made the state what it is and not what the reader saw: when, and why; nothing where nobody knows. */
function lastChange(row, words = null) {
  const last = row.access_change;
  if (!last && !words) return "";
  return h(
    "div",
    { class: "warning", role: "alert" },
    words && h("strong", null, words),
    last && h("p", null, `${moment(last.at)} · `, theirs(last.by), last.reason ? [": ", theirs(last.reason)] : ""),
  );
}

function offerUndo(now, update) {
  const back = now.access === "active" ? "suspended" : "active";
  say(t(`switch.${now.access}.done`, { name: fullName(now) }), {
    act: { words: t("undo"), run: () => undo(now, back, update) },
  });
}

async function undo(row, access, update) {
  try {
    const now = await change(row, access, t("undo.reason"));
    update(now);
    say(t(`switch.${access}.done`, { name: fullName(now) }));
  } catch (error) {
    complain(error, update);
  }
}

/** Say what went wrong after the dialog has been closed. */
function complain(error, update) {
  const conflicting = error.code === "version-conflict";
  if (conflicting) update(error.body.current);
  say(conflicting ? t("conflict") : error.words, { stay: true, kind: "bad" });
}
