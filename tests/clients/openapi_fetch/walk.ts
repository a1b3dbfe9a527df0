// The walk of tests/e2e/test_clients.py with openapi-typescript's types and openapi-fetch.

import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Schemas = components["schemas"];

const baseUrl = process.env.STORE_USERS_URL!;
const as = (token: string | undefined) =>
  createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });
const admin = as(process.env.STORE_USERS_ADMIN);
const viewer = as(process.env.STORE_USERS_VIEWER);

function sure<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new Error(`no ${what}`);
  return value;
}

async function listed(): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const { data } = await admin.GET("/v1/customers", {
      params: { query: { sort: "-subscription.ends_on", limit: 20, access: "active", cursor } },
    });
    const page: Schemas["CustomerPage"] = sure(data, "page");
    ids.push(...page.data.map((row) => row.id));
    cursor = page.page.next ?? undefined;
  } while (cursor);
  return ids;
}

const put = (client: typeof admin, id: string, version: number, body: Schemas["AccessUpdate"]) =>
  client.PUT("/v1/customers/{customer_id}/access", {
    params: { path: { customer_id: id }, header: { "If-Match": `"${version}"` } },
    body,
  });

async function switched(id: string): Promise<number> {
  const seen = await admin.GET("/v1/customers/{customer_id}", { params: { path: { customer_id: id } } });
  const version = sure(seen.data, "customer").version;
  const suspended = await put(admin, id, version, { access: "suspended", reason: "Walk of a client" });
  if (sure(suspended.data, "answer").access !== "suspended") throw new Error("not suspended");
  const conflict = await put(admin, id, version, { access: "active" });
  const problem = sure(conflict.error, "conflict");
  if (conflict.response.status !== 412 || !("current" in problem)) throw new Error("no conflict");
  const active = await put(admin, id, problem.current.version, { access: "active" });
  return sure(active.data, "answer").version;
}

async function permission(id: string): Promise<string> {
  const { error, response } = await put(viewer, id, 1, { access: "active" });
  const problem = sure(error, "refusal");
  if (response.status !== 403 || !("permission" in problem)) throw new Error("not refused");
  return sure(problem.permission, "permission");
}

async function exported(): Promise<number> {
  const order = await admin.POST("/v1/exports", {
    params: { header: { "Idempotency-Key": crypto.randomUUID() } },
    body: { resource: "customers", format: "csv", filters: { access: "active" } },
  });
  let job: Schemas["Export"] = sure(order.data, "job");
  while (job.status !== "succeeded") {
    if (job.status !== "queued" && job.status !== "running") throw new Error(job.status);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const { data } = await admin.GET("/v1/exports/{export_id}", { params: { path: { export_id: job.id } } });
    job = sure(data, "job");
  }
  const file = await fetch(sure(job.download_url, "link"));
  return (await file.text()).trimEnd().split("\n").length - 1;
}

const ids = await listed();
const first = sure(ids[0], "customer");
const walked = {
  listed: ids.length,
  version: await switched(first),
  permission: await permission(first),
  exported: await exported(),
};
console.log(JSON.stringify(walked));
