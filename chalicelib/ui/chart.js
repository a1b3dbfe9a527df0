// Sign-ups per day, above the leads: bars to look at, a table for whoever listens.

import { watch } from "./address.js";
import { get, Problem } from "./api.js";
import { h, quiet, select, svg } from "./dom.js";
import { day, number, t } from "./words.js";

const SPANS = [30, 90, 365];
const WIDTH = 720;
const HEIGHT = 64;
const DAY_MS = 86_400_000;
let span = SPANS[0];

const dateOf = (ms) => new Date(ms).toISOString().slice(0, 10);

/** The chart, shown while the leads are; its place is there before its data is. */
export function signUpsChart() {
  const place = h("div", { class: "plot" });
  const summary = h("figcaption", null, t("chart.title"));
  const spans = select({ id: "chart-span", "aria-label": t("chart.span") }, SPANS.map((n) => [n, t("chart.days", { n })]), span, (days) => {
    span = Number(days);
    loadDays(place, summary);
  });
  const figure = h("figure", { class: "chart", hidden: true }, h("div", { class: "line" }, summary, spans), place);
  watch((now, before) => {
    figure.hidden = now.list !== "leads";
    if (!figure.hidden && before?.list !== "leads") loadDays(place, summary);
  });
  return figure;
}

async function loadDays(place, summary) {
  const to = Date.now();
  const asked = span;
  try {
    const totals = await get(`v1/totals?list=leads&from=${dateOf(to - (span - 1) * DAY_MS)}&to=${dateOf(to)}`);
    if (asked === span) drawDays(place, summary, totals.days);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (asked !== span) return;
    summary.textContent = t("chart.title");
    place.replaceChildren(quiet("p", error.words));
  }
}

function drawDays(place, summary, days) {
  const sum = days.reduce((all, one) => all + one.registered, 0);
  const best = days.reduce((most, one) => (one.registered > most.registered ? one : most), days[0]);
  const most = sum ? ` · ${t("chart.best", { n: best.registered, day: day(best.on) })}` : "";
  summary.replaceChildren(h("strong", null, t("chart.title")), ` ${t("chart.sum", { n: sum })}${most}`);
  const step = WIDTH / days.length;
  const bars = days.map((one, index) => {
    const height = one.registered ? Math.max(2, (one.registered / best.registered) * HEIGHT) : 0.5;
    return svg(
      "rect",
      { x: (index * step + step * 0.1).toFixed(2), y: (HEIGHT - height).toFixed(2), width: (step * 0.8).toFixed(2), height: height.toFixed(2) },
      svg("title", null, `${day(one.on)}: ${number(one.registered)}`),
    );
  });
  const label = summary.textContent;
  place.replaceChildren(
    svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": label }, bars),
    h("div", { class: "axis quiet", "aria-hidden": "true" }, h("span", null, day(days[0].on)), h("span", null, day(days.at(-1).on))),
    h(
      "table",
      { class: "hidden" },
      h("caption", null, t("chart.title")),
      days.map((one) => h("tr", null, h("th", { scope: "row" }, day(one.on)), h("td", null, number(one.registered)))),
    ),
  );
}
