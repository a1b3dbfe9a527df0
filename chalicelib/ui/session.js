// Signing in through the user pool's own page: authorization code with PKCE (RFC 7636), tokens in memory alone.

const PENDING = "sign-in";
const WAS_IN = "signed-in";
const SPARE_MS = 60_000;
const WARN_MS = 5 * 60_000;
const pageAddress = () => location.origin + location.pathname;
let provider = null;
let tokens = null;
let refreshing = null;
let listen = () => {};
// The tabs of one browser: whoever signs out in one of them has signed out in all.
const channel = new BroadcastChannel("session");
channel.onmessage = () => over();

const base64 = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const random = () => base64(crypto.getRandomValues(new Uint8Array(32)));

/** Go to the sign-in page, and come back to what is on the screen now. */
export async function signIn() {
  const [verifier, state] = [random(), random()];
  sessionStorage.setItem(PENDING, JSON.stringify({ verifier, state, hash: location.hash }));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const query = new URLSearchParams({
    response_type: "code",
    client_id: provider.client_id,
    redirect_uri: pageAddress(),
    scope: provider.scopes,
    state,
    code_challenge: base64(new Uint8Array(digest)),
    code_challenge_method: "S256",
  });
  location.assign(`${provider.url}/oauth2/authorize?${query}`);
}

/** "in", "out", "failed", or "leaving" while the browser is on its way to the sign-in page. */
export async function begin(signInConfig) {
  provider = signInConfig;
  const answer = new URLSearchParams(location.search);
  if (answer.has("code") || answer.has("error")) return finish(answer);
  // After a reload the sign-in page knows the person by its own cookie, and asks nothing.
  if (!sessionStorage.getItem(WAS_IN)) return "out";
  await signIn();
  return "leaving";
}

async function finish(answer) {
  const pending = JSON.parse(sessionStorage.getItem(PENDING) ?? "null");
  sessionStorage.removeItem(PENDING);
  sessionStorage.removeItem(WAS_IN);
  history.replaceState(null, "", pageAddress() + (pending?.hash ?? ""));
  if (answer.has("error") || pending?.state !== answer.get("state")) return "failed";
  const body = new URLSearchParams({
    grant_type: "authorization_code",
    client_id: provider.client_id,
    redirect_uri: pageAddress(),
    code: answer.get("code"),
    code_verifier: pending.verifier,
  });
  const reply = await fetch(`${provider.url}/oauth2/token`, { method: "POST", body }).catch(() => null);
  if (!reply?.ok) return "failed";
  const given = await reply.json();
  tokens = { refresh: given.refresh_token, endsAt: Date.now() + provider.session_seconds * 1000 };
  keep(given.access_token, given.expires_in);
  sessionStorage.setItem(WAS_IN, "1");
  return "in";
}

function keep(access, seconds) {
  Object.assign(tokens, { access, freshUntil: Date.now() + seconds * 1000 - SPARE_MS });
}

/** The user pool's own API: what refreshes and revokes, on AWS and on the local stack alike. */
function pool(action, body) {
  return fetch(provider.pool_url, {
    method: "POST",
    headers: {
      "Content-Type": "application/x-amz-json-1.1",
      "X-Amz-Target": `AWSCognitoIdentityProviderService.${action}`,
    },
    body: JSON.stringify({ ClientId: provider.client_id, ...body }),
  });
}

async function refresh() {
  const reply = await pool("GetTokensFromRefreshToken", { RefreshToken: tokens.refresh });
  if (!reply.ok) {
    // Only a refusal ends the session. The pool refuses with 400, and says with 400, too, that it is busy.
    const busy = reply.status >= 500 || reply.status === 429 || (await reply.text()).includes("TooManyRequests");
    if (busy) throw new Error();
    return over();
  }
  const { AuthenticationResult: given } = await reply.json();
  // Signed out, or over, while the answer was on its way.
  if (!tokens) return null;
  // Each refresh token is good for one renewal where the pool rotates them.
  tokens.refresh = given.RefreshToken ?? tokens.refresh;
  keep(given.AccessToken, given.ExpiresIn);
  return tokens.access;
}

/**
 * The access token, a fresh one where it is about to end or was `refused`; null when the session is over.
 * Throws when the pool cannot be asked for one.
 */
export async function accessToken(refused = false) {
  if (!tokens) return null;
  if (Date.now() < tokens.freshUntil && !refused) return tokens.access;
  refreshing ??= refresh().finally(() => {
    refreshing = null;
  });
  return refreshing;
}

function over() {
  if (tokens) {
    tokens = null;
    sessionStorage.removeItem(WAS_IN);
    listen("over");
  }
  return null;
}

/** Tell `hear("ending", when)` five minutes before the session ends, and `hear("over")` when it has. */
export function watchEnd(hear) {
  listen = hear;
  let warned = false;
  setInterval(() => {
    if (!tokens) return;
    if (Date.now() >= tokens.endsAt) over();
    else if (!warned && Date.now() >= tokens.endsAt - WARN_MS) {
      warned = true;
      listen("ending", tokens.endsAt);
    }
  }, 5000);
}

// A page that the browser kept and shows again, after Back, would show what was on it: it begins anew.
addEventListener("pageshow", (event) => event.persisted && location.reload());

/**
 * End the session here (whoever sits down next sees nothing of it), at the user pool (the refresh token is
 * worth nothing any more) and at its page.
 */
export async function signOut() {
  document.body.replaceChildren();
  channel.postMessage("out");
  const token = tokens?.refresh;
  tokens = null;
  sessionStorage.removeItem(WAS_IN);
  if (token) await pool("RevokeToken", { Token: token }).catch(() => null);
  const query = new URLSearchParams({ client_id: provider.client_id, logout_uri: pageAddress() });
  location.assign(`${provider.url}/logout?${query}`);
}
