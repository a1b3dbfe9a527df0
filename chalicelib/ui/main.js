// From an empty page to the lists: configuration, words, sign-in, role, screen.

import { forget, start } from "./address.js";
import { get } from "./api.js";
import { startDetail } from "./detail.js";
import { button, h } from "./dom.js";
import { startJobs } from "./jobs.js";
import { startKeys } from "./keyboard.js";
import { startList } from "./list.js";
import { drawScreen, plainPage } from "./screen.js";
import { begin, signIn, signOut, watchEnd } from "./session.js";
import { actions, openWindow, say, trouble } from "./windows.js";
import { speak, t, time } from "./words.js";

const LISTS = ["customers", "leads"];
const page = document.getElementById("page");
let config = null;

async function run() {
  config = await (await fetch("v1/config")).json();
  await speak(config.languages, config.time_zone);
  const state = await begin(config.sign_in);
  if (state === "leaving") return;
  if (state === "in") await enter();
  else signInPage(state);
}

function signInPage(state) {
  const words = [t("sign_in.why"), ...(state === "failed" ? [t("sign_in.failed")] : [])];
  const act = button(t("sign_in"), signIn, { id: "sign-in", kind: "main" });
  page.replaceChildren(plainPage(t("page.title"), words, act, config.languages, () => signInPage(state)));
}

async function enter() {
  try {
    const session = await get("v1/session");
    watchEnd(hearEnd);
    show(session);
    startKeys();
  } catch (error) {
    page.replaceChildren(h("main", { class: "lone" }, h("h1", null, t("page.title")), trouble(error, enter)));
  }
}

function show(session) {
  const redraw = () => show(session);
  const lists = LISTS.filter((list) => session.permissions.includes(`${list}:read`));
  if (!lists.length) {
    const words = [t("no_role.why", { name: session.username }), t("no_role.ask")];
    const act = button(t("sign_out"), signOut, { id: "sign-out", kind: "main" });
    page.replaceChildren(plainPage(t("no_role"), words, act, config.languages, redraw));
    return;
  }
  const { rows, pager } = drawScreen(page, session, lists, config.languages, redraw);
  const permissions = new Set(session.permissions);
  startList(permissions, rows, pager);
  startDetail(permissions);
  start(lists);
  startJobs(session);
}

function hearEnd(what, endsAt) {
  const again = { words: t("sign_in.again"), run: signIn };
  if (what === "ending") say(t("session.ending", { time: time(endsAt) }), { stay: true, act: again, kind: "bad" });
  else {
    leaveNothing();
    const act = button(again.words, signIn, { kind: "main" });
    openWindow(t("session.over"), [h("p", null, t("session.over.why")), actions(act)], { kept: true });
  }
}

/** Take from the screen what only a session may see; the address still says where to come back to. */
function leaveNothing() {
  forget();
  for (const dialog of document.querySelectorAll("dialog")) dialog.remove();
  page.replaceChildren();
}

// Where it fails before there are words to say so in, `stuck.js` shows those of the page itself.
run();
