// Lists by cursor, the switch with If-Match, exports with Idempotency-Key.

import { request } from "./api";

const POLL_MS = 2000;
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The cursor of each page seen, by query: react-admin counts pages, the API hands out cursors. */
const seen = new Map();

function queryOf({ pagination, sort, filter }) {
  const query = new URLSearchParams({ limit: pagination.perPage });
  // Searches come in the order of the match. Elsewhere `source` names are what `sort` takes.
  if (!filter.q) query.set("sort", (sort.order === "DESC" ? "-" : "") + sort.field);
  for (const [name, value] of Object.entries(filter)) {
    for (const one of [value].flat()) if (one) query.append(name, one);
  }
  return query;
}

/** Read page `wanted`. The API knows numbers of whole lists by registration; to others it walks. */
async function readPage(resource, query, wanted, { isWhole, signal }) {
  const path = `/v1/${resource}?${query}`;
  const cursors = seen.get(path) ?? new Map();
  seen.set(path, cursors);
  if (isWhole && !cursors.has(wanted))
    return remember(cursors, wanted, await request(`${path}&page=${wanted}`, { signal }));
  let number = wanted;
  while (number > 1 && !cursors.has(number)) number -= 1;
  for (; ; number += 1) {
    const cursor = cursors.get(number);
    const from = cursor ? `${path}&cursor=${encodeURIComponent(cursor)}` : path;
    const answer = remember(cursors, number, await request(from, { signal }));
    if (number === wanted || answer.page.next === null) return answer;
  }
}

function remember(cursors, number, answer) {
  if (answer.page.next) cursors.set(number + 1, answer.page.next);
  return answer;
}

export const dataProvider = {
  supportAbortSignal: true,

  async getList(resource, params) {
    const { pagination, sort, filter, signal } = params;
    const isWhole = sort.field === "registered_at" && Object.keys(filter).length === 0;
    const query = queryOf(params);
    const { data, page } = await readPage(resource, query, pagination.page, { isWhole, signal });
    const pageInfo = { hasNextPage: page.next !== null, hasPreviousPage: pagination.page > 1 };
    // With a total react-admin offers page numbers: only where the API has them.
    return isWhole && page.total_relation === "exact" ? { data, pageInfo, total: page.total } : { data, pageInfo };
  },

  async getOne(resource, { id, signal }) {
    return { data: await request(`/v1/${resource}/${encodeURIComponent(id)}`, { signal }) };
  },

  /** The switch. `previousData` is the customer that the person saw; 412 if it has changed since. */
  async update(resource, { id, data: { access, reason }, previousData }) {
    const data = await request(`/v1/${resource}/${encodeURIComponent(id)}/access`, {
      method: "PUT",
      headers: { "If-Match": `"${previousData.version}"` },
      body: JSON.stringify({ access, ...(reason && { reason }) }),
    });
    return { data };
  },

  /** Order an export, wait for it, and return the file; `tell` hears of the progress. */
  async exportList(resource, filters, format, tell) {
    // One key for the order and its retries: a lost answer does not make a second export.
    const headers = { "Idempotency-Key": crypto.randomUUID() };
    const body = JSON.stringify({ resource, format, language: "en", filters });
    const order = () => request("/v1/exports", { method: "POST", headers, body });
    const { id } = await order().catch((error) => {
      if (error instanceof TypeError) return order();
      throw error;
    });
    let job;
    do {
      if (job) await wait(POLL_MS);
      job = await request(`/v1/exports/${id}`);
      tell(job);
    } while (["queued", "running"].includes(job.status));
    if (job.status !== "succeeded") throw new Error(job.error ?? `The export is ${job.status}`);
    // A presigned address of five minutes: it takes no token.
    const file = await fetch(job.download_url);
    if (!file.ok) throw new Error(`The file cannot be read: ${file.status}`);
    return file.blob();
  },
};
