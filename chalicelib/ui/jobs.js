// Exports under way: the API is asked how far they are, whichever list is shown and however often the page is loaded.

import { call, get, Problem } from "./api.js";
import { button, h } from "./dom.js";
import { say } from "./windows.js";
import { t, term } from "./words.js";

const PACE_MS = 1000;
const RETRY_MS = 5000;
const running = new Map();
let asker = null;

export const isUnderWay = (job) => job.status === "queued" || job.status === "running";

/** A job is its requester's by the subject of the token; older jobs have the name alone. */
const isOwn = (job, session) =>
  job.requested_by_id ? job.requested_by_id === session.id : job.requested_by === session.username;

/** Follow what this person asked for before the page was loaded. */
export async function startJobs(session) {
  asker = session;
  for (const id of [...running.keys()]) drop(id);
  if (!session.permissions.includes("exports:read")) return;
  try {
    const { data } = await get("v1/exports?limit=25");
    for (const job of data) if (isUnderWay(job) && isOwn(job, session)) follow(job);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
}

/** People cancel and remove what they asked for themselves; what others asked for needs a permission. */
export const mayCancel = (job) => job.requested_by_id === asker.id || asker.permissions.includes("exports:delete");

/** Show the job's progress until it has ended, then what came of it. */
export function follow(job) {
  drawJob(job);
  wait(job.id, PACE_MS);
}

function wait(id, pause) {
  const shown = running.get(id);
  if (!shown) return;
  clearTimeout(shown.timer);
  shown.timer = setTimeout(look, pause, id);
}

async function look(id) {
  if (!running.has(id)) return;
  try {
    const job = await get(`v1/exports/${id}`);
    if (!running.has(id)) return;
    if (isUnderWay(job)) follow(job);
    else end(job);
  } catch (error) {
    if (error.status === 404 || error.status === 401) drop(id);
    else wait(id, RETRY_MS);
  }
}

function drop(id) {
  const shown = running.get(id);
  clearTimeout(shown?.timer);
  shown?.bar.remove();
  running.delete(id);
  dispatchEvent(new CustomEvent("jobs"));
}

function drawJob(job) {
  const { done, total } = job.progress;
  const { bar } = running.get(job.id) ?? add(job);
  const words = total ? t("job.of", { done, n: total }) : done ? t("export.rows", { n: done }) : term("export", job.status);
  bar.querySelector(".done").textContent = words;
  const progress = bar.querySelector("progress");
  if (total) {
    progress.max = total;
    progress.value = done;
  }
}

function add(job) {
  const words = t("job.list", { list: t(`list.${job.resource}`) });
  const bar = h(
    "div",
    { class: "job" },
    h("span", null, words),
    h("progress", { "aria-label": words }),
    h("span", { class: "done quiet" }),
    mayCancel(job) && button(t("cancel"), () => cancel(job.id), { kind: "small" }),
  );
  document.getElementById("jobs")?.append(bar);
  running.set(job.id, { bar, timer: 0 });
  dispatchEvent(new CustomEvent("jobs"));
  return running.get(job.id);
}

function end(job) {
  drop(job.id);
  if (job.status === "succeeded") {
    say(t("job.succeeded", { n: job.rows }), { stay: true, act: { words: t("download"), run: () => download(job.id) } });
  } else if (job.status === "failed") {
    say(`${t("job.failed")} ${job.error ?? ""}`, { stay: true, kind: "bad" });
  }
}

async function cancel(id) {
  if (await remove(id)) say(t("job.cancelled"));
}

/** Cancel a job under way, or delete the file of one that has ended; both for good. */
export async function remove(id) {
  try {
    await call("DELETE", `v1/exports/${id}`);
  } catch (error) {
    say(error.words, { stay: true, kind: "bad" });
    return false;
  }
  drop(id);
  return true;
}

/** Ask for a fresh link, which lives for five minutes, and follow it. */
export async function download(id) {
  try {
    const job = await get(`v1/exports/${id}`);
    if (!job.download_url) throw new Problem(410, { type: "export-gone" });
    h("a", { href: job.download_url, download: job.file_name, rel: "noreferrer" }).click();
  } catch (error) {
    say(error.words, { stay: true, kind: "bad" });
  }
}
