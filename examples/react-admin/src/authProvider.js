// What react-admin asks about the person (https://marmelab.com/react-admin/AuthProviderWriting.html).

import { request } from "./api";
import { finishSignIn, forget, isSignedIn, signIn, signOut } from "./session";

export const authProvider = {
  login: signIn,
  async handleCallback() {
    return { redirectTo: await finishSignIn() };
  },
  async checkAuth() {
    if (!isSignedIn()) throw new Error("Sign in to go on");
  },
  // `request` has renewed the token once already: a 401 that comes here ends the session.
  async checkError({ status }) {
    if (status !== 401) return;
    forget();
    throw new Error("Your session is over");
  },
  logout: signOut,
  async getIdentity() {
    const { id, username } = await request("/v1/session");
    return { id, fullName: username };
  },
  async getPermissions() {
    return isSignedIn() ? (await request("/v1/session")).permissions : [];
  },
};
