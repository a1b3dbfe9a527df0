// What the screen shows, in the address: behind `#`, so that searched names reach no server's log.

const MANY = ["status", "plan"];
const FILTERS = {
  customers: ["registered_from", "registered_to", "access", "ecosystem", "billing_period", ...MANY],
  leads: ["registered_from", "registered_to"],
};
// Names to sort by that links of earlier versions have.
const OLD_SORTS = { name: "first_name", company: "company_name", ends_on: "subscription.ends_on" };
export const SIZES = [10, 25, 50, 100];
export const NEWEST = "-registered_at";
let listeners = [];
let allowed = [];
export let view = null;

function parse(hash) {
  const [path, query] = hash.replace(/^#\/?/, "").split("?");
  const given = new URLSearchParams(query);
  const list = path === "leads" ? "leads" : "customers";
  const sort = (given.get("sort") ?? NEWEST).replace(/[^-]+/, (name) => OLD_SORTS[name] ?? name);
  const found = { list, sort, limit: Number(given.get("limit")) || 25 };
  for (const name of ["q", "cursor", "page", "open", ...FILTERS[list]]) {
    if (given.has(name)) found[name] = MANY.includes(name) ? given.getAll(name) : given.get(name);
  }
  return found;
}

function write(state) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) {
    const plain = name === "list" || (name === "sort" && value === NEWEST) || (name === "limit" && value === 25);
    if (!plain) for (const one of [value].flat()) query.append(name, one);
  }
  return `#/${state.list}${query.size ? "?" : ""}${query}`;
}

const tidy = (state) => Object.fromEntries(Object.entries(state).filter(([, value]) => value?.length || value > 0));

/** The filters of the list, as the API and exports take them; without the search word. */
export const filtersOf = (state) =>
  Object.fromEntries(FILTERS[state.list].filter((name) => name in state).map((name) => [name, state[name]]));

/** The same with the search: exactly the rows that the screen pages through. */
export const wishOf = (state) => ({ ...(state.q ? { q: state.q } : {}), ...filtersOf(state) });

/** The address of the list's rows in the API. */
export function rowsPath(state) {
  const query = new URLSearchParams({ limit: state.limit });
  if (!state.q) query.set("sort", state.sort);
  for (const name of ["cursor", "page"]) if (state[name]) query.set(name, state[name]);
  for (const [name, value] of Object.entries(wishOf(state))) for (const one of [value].flat()) query.append(name, one);
  return `v1/${state.list}?${query}`;
}

/** Show something else: `change` over what is shown now, from its first page on unless it says which. */
export function go(change, { replace = false } = {}) {
  const { cursor, page, ...rest } = view;
  const kept = "open" in change ? { cursor, page } : {};
  visit(tidy({ ...rest, ...kept, ...change }), replace);
}

/** Another list, from its beginning and without the other one's filters. */
export const goToList = (list) => visit({ list, sort: NEWEST, limit: view.limit }, false);

function visit(next, replace) {
  const hash = write(next);
  if (hash !== location.hash) history[replace ? "replaceState" : "pushState"](null, "", hash);
  tellAll();
}

function tellAll() {
  const before = view;
  const wished = parse(location.hash);
  view = allowed.includes(wished.list) ? wished : { list: allowed[0], sort: NEWEST, limit: 25 };
  history.replaceState(null, "", write(view));
  for (const listen of listeners) listen(view, before);
}

/** Call `listen(view, before)` at each change from now on. */
export const watch = (listen) => listeners.push(listen);

/** Nobody listens any more: the screen is about to be drawn anew. */
export const forget = () => {
  listeners = [];
};

addEventListener("popstate", () => view && tellAll());

/** Show what the address wishes, or the first of `lists` where it wishes another than these. */
export function start(lists) {
  allowed = lists;
  view = null;
  tellAll();
}
