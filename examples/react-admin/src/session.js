// Sign-in at the hosted page: authorization code with PKCE (RFC 7636), and the tokens. They are kept in
// sessionStorage, so that a reload keeps the session. A script injected into this origin could read
// them there: serve the front end with a strict content policy.

import { HttpError } from "react-admin";

export const API = import.meta.env.VITE_API_URL.replace(/\/$/, "");

const [TOKENS, PENDING] = ["tokens", "sign-in"];
const CALLBACK = `${location.origin}/auth-callback`;
const SIGNED_OUT = `${location.origin}/login`;

const read = (name) => JSON.parse(sessionStorage.getItem(name));
const keep = (name, value) => sessionStorage.setItem(name, JSON.stringify(value));
export const forget = () => sessionStorage.removeItem(TOKENS);
export const isSignedIn = () => read(TOKENS) !== null;

let config;
/** Where to sign in, and as which client; asked for once. */
async function signInConfig() {
  config ??= await (await fetch(`${API}/v1/config`)).json();
  return config.sign_in;
}

const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

/** Leave for the sign-in page; `next` is the path of ours to come back to. */
export async function signIn({ next = "/" }) {
  const { url, client_id, scopes } = await signInConfig();
  const [verifier, state] = [random(), random()];
  keep(PENDING, { verifier, state, next });
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const challenge = { code_challenge: base64url(new Uint8Array(digest)), code_challenge_method: "S256" };
  const request = { response_type: "code", client_id, redirect_uri: CALLBACK, scope: scopes, state };
  location.assign(`${url}/oauth2/authorize?${new URLSearchParams({ ...request, ...challenge })}`);
}

/** Exchange the code with which the sign-in page sent the person back; the path to go on at. */
export async function finishSignIn() {
  const answer = new URLSearchParams(location.search);
  const [pending, { url, client_id }] = [read(PENDING), await signInConfig()];
  sessionStorage.removeItem(PENDING);
  const [grant_type, redirect_uri, code] = ["authorization_code", CALLBACK, answer.get("code")];
  const body = new URLSearchParams({ grant_type, client_id, redirect_uri, code, code_verifier: pending?.verifier });
  const isOurs = pending && answer.get("state") === pending.state;
  const reply = isOurs && (await fetch(`${url}/oauth2/token`, { method: "POST", body }));
  if (!reply?.ok) throw new Error("Signing in failed. Try again.");
  const given = await reply.json();
  keep(TOKENS, { access: given.access_token, refresh: given.refresh_token });
  return pending.next;
}

let renewal = null;
/** The access token; another one than `refused`. Throws 401 when the session is over. */
export async function accessToken(refused) {
  // One renewal for all requests that were refused with the same token.
  if (refused && read(TOKENS)?.access === refused) await (renewal ??= renew().finally(() => (renewal = null)));
  if (!isSignedIn()) throw new HttpError("Your session is over", 401);
  return read(TOKENS).access;
}

/** A call of the user pool's own API; the local stack has no `/oauth2/revoke`. */
async function callPool(action, values) {
  const { pool_url, client_id } = await signInConfig();
  return fetch(pool_url, {
    method: "POST",
    headers: {
      "Content-Type": "application/x-amz-json-1.1",
      "X-Amz-Target": `AWSCognitoIdentityProviderService.${action}`,
    },
    body: JSON.stringify({ ClientId: client_id, ...values }),
  });
}

async function renew() {
  const { refresh } = read(TOKENS);
  const reply = await callPool("GetTokensFromRefreshToken", { RefreshToken: refresh });
  const body = await reply.json();
  if (reply.ok) {
    const { AccessToken, RefreshToken = refresh } = body.AuthenticationResult;
    return keep(TOKENS, { access: AccessToken, refresh: RefreshToken });
  }
  // Only a refusal ends the session; the pool also says with 400 that it is busy.
  if (reply.status >= 500 || body.__type?.includes("TooManyRequests")) throw new HttpError("Try again", 503);
  forget();
}

/** End the session here and at the sign-in page, which sends the person back to /login. */
export async function signOut() {
  if (!isSignedIn()) return "/login";
  const { url, client_id } = await signInConfig();
  const { refresh } = read(TOKENS);
  forget();
  await callPool("RevokeToken", { Token: refresh }).catch(() => null);
  location.assign(`${url}/logout?${new URLSearchParams({ client_id, logout_uri: SIGNED_OUT })}`);
  return false;
}
