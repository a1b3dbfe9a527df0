// Requests to the API: the token, and problems (RFC 9457) as react-admin's errors.

import { HttpError } from "react-admin";

import { accessToken, API } from "./session";

/** The JSON of an answer. Throws HttpError with the problem as `body`; TypeError if none arrives. */
export async function request(path, { headers, ...options } = {}) {
  const send = (token) =>
    fetch(API + path, {
      ...options,
      headers: {
        ...(options.body && { "Content-Type": "application/json" }),
        ...headers,
        Authorization: `Bearer ${token}`,
      },
    });
  const token = await accessToken();
  let answer = await send(token);
  // Access tokens live for minutes. One renewal; if the new token is refused too, the session is over.
  if (answer.status === 401) answer = await send(await accessToken(token));
  const body = answer.status === 204 ? null : await answer.json();
  if (!answer.ok) throw new HttpError(body.detail ?? body.title, answer.status, body);
  return body;
}
