// Calls to the API, and its problems (RFC 9457) as errors.

import { accessToken } from "./session.js";
import { t, term } from "./words.js";

// Problems that many codes stand for, by their status; 0 is a call that never came back.
const OTHERS = { 0: "problem.offline", 401: "session.over", 429: "problem.busy", 503: "problem.busy", 504: "problem.busy" };

/** What the API, or the way to it, answered instead of what was asked for; `body.n` is its `Retry-After` in seconds. */
export class Problem extends Error {
  constructor(status, body = {}) {
    super(body.title);
    this.status = status;
    this.code = (body.type ?? "").split("/").pop();
    this.body = body;
  }

  /** In the reader's words, with what can be done. */
  get words() {
    const known = term("problem", this.code);
    if (known !== this.code) return known.replace("{n}", this.body.n);
    return t(OTHERS[this.status] ?? "problem.internal");
  }
}

/** The answer: `data` (parsed JSON) and `headers`. Throws `Problem`; an aborted call throws `AbortError`. */
export async function call(method, path, options = {}) {
  let reply = await send(method, path, options, false);
  if (reply.status === 401) reply = await send(method, path, options, true);
  const data = await jsonOf(reply);
  if (!reply.ok) throw new Problem(reply.status, { ...data, n: Number(reply.headers.get("retry-after")) });
  if (!data && reply.status !== 204) throw new Problem(reply.status, { type: "not-json" });
  return { data, headers: reply.headers };
}

/** The JSON of the answer; null where it is something else, such as the sign-in page of a network. */
async function jsonOf(reply) {
  try {
    return await reply.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    return null;
  }
}

async function send(method, path, { body, headers, signal }, refused) {
  try {
    const token = await accessToken(refused);
    if (!token) throw new Problem(401, { type: "unauthenticated" });
    return await fetch(path, {
      method,
      signal,
      headers: {
        Authorization: `Bearer ${token}`,
        ...(body ? { "Content-Type": "application/json" } : {}),
        ...headers,
      },
      body: body && JSON.stringify(body),
    });
  } catch (error) {
    if (error instanceof Problem || error.name === "AbortError") throw error;
    throw new Problem(0);
  }
}

export const get = async (path, signal) => (await call("GET", path, { signal })).data;

/** Ten of a list, from its beginning or from the `cursor` on. */
export const tenOf = (path, cursor) => get(`${path}?limit=10${cursor ? "&cursor=" : ""}${encodeURIComponent(cursor ?? "")}`);
