// The walk of tests/e2e/test_clients.py with OpenAPI Generator's typescript-fetch.

import {
  Access,
  Configuration,
  CustomersApi,
  CustomerSort,
  ExportFormat,
  ExportsApi,
  ExportStatus,
  ForbiddenProblemFromJSON,
  ResponseError,
  VersionConflictProblemFromJSON,
  type AccessUpdate,
} from "./generated/index.js";

const as = (token: string | undefined) =>
  new Configuration({ basePath: process.env.STORE_USERS_URL!, accessToken: token! });
const customers = new CustomersApi(as(process.env.STORE_USERS_ADMIN));
const exports_ = new ExportsApi(as(process.env.STORE_USERS_ADMIN));
const strangers = new CustomersApi(as(process.env.STORE_USERS_VIEWER));

async function listed(): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await customers.listCustomers({
      sort: CustomerSort.SUBSCRIPTION_ENDS_ON_DESC,
      limit: 20,
      access: Access.Active,
      ...(cursor ? { cursor } : {}),
    });
    ids.push(...page.data.map((row) => row.id));
    cursor = page.page.next ?? undefined;
  } while (cursor);
  return ids;
}

const put = (api: CustomersApi, customerId: string, version: number, accessUpdate: AccessUpdate) =>
  api.changeAccess({ customerId, ifMatch: `"${version}"`, accessUpdate });

async function refused(call: Promise<unknown>, status: number): Promise<unknown> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ResponseError && error.response.status === status) return error.response.json();
    throw error;
  }
  throw new Error(`not ${status}`);
}

async function switched(id: string): Promise<number> {
  const { version } = await customers.getCustomer({ customerId: id });
  const suspended = await put(customers, id, version, {
    access: Access.Suspended,
    reason: "Walk of a client",
  });
  if (suspended.access !== Access.Suspended) throw new Error("not suspended");
  const body = await refused(put(customers, id, version, { access: Access.Active }), 412);
  const { current } = VersionConflictProblemFromJSON(body);
  return (await put(customers, id, current.version, { access: Access.Active })).version;
}

async function permission(id: string): Promise<string | undefined> {
  const body = await refused(put(strangers, id, 1, { access: Access.Active }), 403);
  return ForbiddenProblemFromJSON(body).permission;
}

async function exported(): Promise<number> {
  let job = await exports_.createExport({
    idempotencyKey: crypto.randomUUID(),
    exportRequest: {
      resource: "customers",
      format: ExportFormat.Csv,
      filters: { access: Access.Active },
    },
  });
  while (job.status !== ExportStatus.Succeeded) {
    if (job.status !== ExportStatus.Queued && job.status !== ExportStatus.Running) throw new Error(job.status);
    await new Promise((resolve) => setTimeout(resolve, 200));
    job = await exports_.getExport({ exportId: job.id });
  }
  const file = await fetch(job.downloadUrl!);
  return (await file.text()).trimEnd().split("\n").length - 1;
}

const ids = await listed();
const first = ids[0]!;
const walked = {
  listed: ids.length,
  version: await switched(first),
  permission: await permission(first),
  exported: await exported(),
};
console.log(JSON.stringify(walked));
