// Ordering an export of exactly what the screen shows, and finding the earlier ones.

import { view, wishOf } from "./address.js";
import { call, tenOf } from "./api.js";
import { button, choices, h, quiet, theirs } from "./dom.js";
import { chips } from "./filters.js";
import { download, follow, isUnderWay, mayCancel, remove } from "./jobs.js";
import { shown } from "./list.js";
import { known } from "./pager.js";
import { actions, announce, openWindow, trouble } from "./windows.js";
import { language, moment, size, t, term } from "./words.js";

export function openExports(permissions) {
  const earlier = h("div", { class: "earlier", tabindex: "0", role: "region", "aria-label": t("exports.earlier") });
  const dialog = openWindow(
    t("exports"),
    [
      permissions.has(`exports:${view.list}`) ? orderForm(() => dialog) : h("p", { class: "warning" }, t("export.leads_only")),
      h("h3", null, t("exports.earlier")),
      earlier,
    ],
    { kind: "large exports", closed: () => removeEventListener("jobs", refresh) },
  );
  const refresh = () => list(earlier, null);
  addEventListener("jobs", refresh);
  refresh();
}

/** "these 478 rows", "all rows, more than 1,000", or no number where nobody has counted. */
function rowsWords() {
  const [relation, n] = shown.page ? known(shown.page, shown.data.length) : ["unknown"];
  return t(`export.${relation}`, { n });
}

function orderForm(dialog) {
  const answer = h("div");
  // The address may change while the window is open; the order stays that of the words in it.
  const wish = { resource: view.list, filters: wishOf(view) };
  let key = crypto.randomUUID();
  const form = h(
    "form",
    {
      class: "order",
      change: () => {
        key = crypto.randomUUID();
      },
      submit: (event) => {
        event.preventDefault();
        order(form, wish, key, answer, dialog());
      },
    },
    h("p", { id: "what" }, h("strong", null, t(`list.${view.list}`)), ": ", rowsWords()),
    h("div", { class: "chips" }, chips(wish.filters)),
    h(
      "div",
      { class: "pair" },
      choices(t("export.format"), "format", ["xlsx", "csv"].map((format) => [format, t(`format.${format}`)]), "xlsx"),
      choices(t("export.language"), "language", ["es", "en"].map((tag) => [tag, t(`language.${tag}`)]), language),
    ),
    answer,
    actions(button(t("export"), () => {}, { kind: "main", type: "submit", picture: "download" })),
  );
  return form;
}

/** The key is that of these choices: ordering twice by accident, or again after a lost answer, is one export. */
async function order(form, wish, key, answer, dialog) {
  const body = { ...wish, ...Object.fromEntries(new FormData(form)) };
  const submit = form.querySelector("[type=submit]");
  submit.disabled = true;
  try {
    const { data: job } = await call("POST", "v1/exports", { body, headers: { "Idempotency-Key": key } });
    dialog.close();
    follow(job);
    announce(t("export.begun"));
  } catch (error) {
    answer.replaceChildren(trouble(error));
    submit.disabled = false;
  }
}

async function list(place, cursor) {
  try {
    const { data, page } = await tenOf("v1/exports", cursor);
    const items = data.map((job) => item(job, place));
    if (cursor) place.querySelector("ul").append(...items);
    else place.replaceChildren(items.length ? h("ul", null, items) : quiet("p", t("exports.none")));
    place.querySelector(":scope > button")?.remove();
    if (page.next) place.append(button(t("more"), () => list(place, page.next), { kind: "link" }));
  } catch (error) {
    place.replaceChildren(trouble(error, () => list(place, cursor)));
  }
}

function item(job, place) {
  const what = [t(`list.${job.resource}`), t(`format.${job.format}`)].join(" · ");
  const period = job.period && t("export.period", { from: job.period.from ? moment(job.period.from) : "…", to: moment(job.period.to) });
  return h(
    "li",
    null,
    h(
      "div",
      null,
      h("p", null, h("strong", null, what), " ", h("span", { class: `state job-${job.status}` }, term("export", job.status)), job.origin === "scheduled" ? h("span", { class: "tag" }, t("export.scheduled")) : ""),
      quiet("p", t("export.by"), " ", theirs(job.requested_by), ` · ${moment(job.requested_at)}`),
      quiet("p", outcome(job)),
      period && quiet("p", period),
      h("div", { class: "chips" }, chips(job.filters)),
    ),
    h("div", { class: "does" }, doings(job, what, place)),
  );
}

function outcome(job) {
  if (job.status === "failed") return job.error ?? "";
  if (job.rows === null) return job.progress.total ? t("job.of", { done: job.progress.done, n: job.progress.total }) : "";
  const expiry = job.expires_at && job.status === "succeeded" ? [t("export.expires", { day: moment(job.expires_at) })] : [];
  return [t("export.rows", { n: job.rows }), ...(job.size_bytes ? [size(job.size_bytes)] : []), ...expiry].join(" · ");
}

function doings(job, what, place) {
  const label = (words) => ({ kind: "small", "aria-label": `${words}: ${what}, ${moment(job.requested_at)}` });
  const removing = t(isUnderWay(job) ? "cancel" : "delete");
  return [
    job.status === "succeeded" && button(t("download"), () => download(job.id), { ...label(t("download")), picture: "download" }),
    mayCancel(job) &&
      button(removing, (event) => sure(event.currentTarget, job.id, place), label(removing)),
  ];
}

/** Deleting is for good: the same button asks once more before it does. */
async function sure(pressed, id, place) {
  if (!pressed.dataset.sure) {
    pressed.dataset.sure = "1";
    pressed.classList.add("danger");
    pressed.textContent = t("delete.sure");
    pressed.setAttribute("aria-label", t("delete.sure"));
    return;
  }
  if (await remove(id)) await list(place, null);
  place.focus();
}
