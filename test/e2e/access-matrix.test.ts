import { randomUUID } from "node:crypto";
import { type DescMethod, getOption } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { access } from "#gen/common/v1/access_pb.ts";
import { accessRules } from "#kit/auth/access.ts";
import { ALL_ROLES, type Role } from "#kit/pure/scope.ts";
import { allServices } from "#test/support/contracts.ts";
import {
  accountOf,
  asService,
  nameOf,
  restOf,
  rolesOf,
  startWorld,
  TENANTS,
  type World,
} from "./access.world.ts";

// Made from the contracts: an RPC that is added is in the matrix by itself, and fails here without a rule or an object.
const services = await allServices();
const rpcs = services
  .flatMap((service) => service.methods)
  .map((method) => [nameOf(method), method] as const);
const [A, B] = TENANTS;
let world: World;

beforeAll(async () => {
  world = await startWorld();
}, 60_000);
afterAll(() => world[Symbol.asyncDispose]());

const rpcOf = (name: string): DescMethod => {
  const found = rpcs.find(([rpc]) => rpc === name)?.[1];
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
};
const objectOf = (method: DescMethod): string => getOption(method, access).object;
const isServed = (method: DescMethod): boolean => world.methods.includes(method);
/** An id of the right shape that nobody has. */
const nobodys = (field: string): string =>
  field === "key_id" ? randomUUID().replaceAll("-", "") : randomUUID();

test("every RPC of every contract declares its rule, so that none is open by oversight", () => {
  expect(accessRules(services).size).toBe(rpcs.length);
});

test("every service of the first stage is served, so that the matrix is not empty", () => {
  const served = new Set(world.methods.map((method) => method.parent.typeName));
  for (const name of ["account", "fraud", "gateway", "notification", "payment", "reporting"]) {
    expect([...served].filter((service) => service.startsWith(`${name}.`))).not.toEqual([]);
  }
});

describe.each(rpcs)("%s", (_, method) => {
  test("asks who calls before anything else", async () => {
    if (!isServed(method)) return;
    const nobody = await world.call(method, {}, { headers: { "settle-tenant": A } });
    expect(nobody.outcome).toBe("Unauthenticated CREDENTIALS_MISSING");
    for (const authorization of [
      "Bearer sk_bootstrap_nothing",
      "Basic ZGV2OmRldg==",
      `Bearer x${asService(A)["authorization"]}`,
    ]) {
      const stranger = await world.call(method, {}, { headers: { authorization } });
      expect(stranger.outcome).toBe("Unauthenticated CREDENTIALS_INVALID");
    }
  });

  test.each(ALL_ROLES)("lets a %s in only when the contract says so", async (role) => {
    if (!isServed(method)) return;
    const { outcome, code } = await world.call(method, {}, { tenant: A, role });
    if (!rolesOf(method).includes(role)) expect(outcome).toBe("PermissionDenied ROLE_MISSING");
    else expect([Code.Unauthenticated, Code.PermissionDenied]).not.toContain(code);
  });

  test("answers for another tenant's object as for one that does not exist, and changes nothing of it", async () => {
    const field = objectOf(method);
    if (!isServed(method) || field === "") return;
    const id = await world.object(field, B, "own");
    const before = await contents(B);
    for (const role of rolesOf(method)) await expectSameAsNobodys(method, role, id);
    expect(await contents(B)).toEqual(before);
  });

  test("answers a payer for another payer's object as for one that does not exist", async () => {
    const field = objectOf(method);
    if (!isServed(method) || field === "" || !rolesOf(method).includes("payer")) return;
    await expectSameAsNobodys(method, "payer", await world.object(field, A, "other"), "payer");
  });

  test("finds the caller's own object, so that the answers above are not given to everybody", async () => {
    const field = objectOf(method);
    if (!isServed(method) || field === "") return;
    for (const role of rolesOf(method)) {
      const own = { ...restOf(method), [field]: await world.object(field, A, "own") };
      const { code, outcome } = await world.call(method, own, { tenant: A, role });
      expect([Code.NotFound, Code.InvalidArgument], `${role}: ${outcome}`).not.toContain(code);
    }
  });

  test("lists nothing of another tenant, and to a payer nothing of another payer", async () => {
    if (!isServed(method) || !method.output.fields.some(({ name }) => name === "next_page_token"))
      return;
    const field = objectOf(method);
    for (const role of rolesOf(method)) {
      const message = field === "" ? {} : { [field]: await world.object(field, A, "own") };
      const { outcome, json } = await world.call(method, message, { tenant: A, role });
      expect(outcome).toBe("OK");
      const foreign = ["other", "check", "note", "authorize", "hold", "credit"].map(
        (id) => `${id}-${B}`,
      );
      foreign.push(
        await world.object("payment_id", B, "own"),
        await world.object("refund_id", B, "own"),
      );
      if (role === "payer") foreign.push(await world.object("payment_id", A, "other"));
      expect(foreign.filter((text) => json.includes(text))).toEqual([]);
    }
  });
});

/** A caller of tenant A gets the same for `id` as for an id nobody has: no oracle. */
async function expectSameAsNobodys(
  method: DescMethod,
  role: Role,
  id: string,
  whose = role,
): Promise<void> {
  const field = objectOf(method);
  const unknown = nobodys(field);
  const [theirs, none] = await Promise.all(
    [id, unknown].map((one) =>
      world.call(method, { ...restOf(method), [field]: one }, { tenant: A, role }),
    ),
  );
  const about = `${whose}: ${theirs?.outcome}`;
  expect(theirs?.code, about).not.toBe(Code.InvalidArgument);
  expect(theirs?.outcome, about).toBe(none?.outcome);
  expect(theirs?.message.replaceAll(id, "ID"), about).toBe(none?.message.replaceAll(unknown, "ID"));
}

describe("a decision on a check", () => {
  test("is signed by who made it: of all roles only a service may name another", async () => {
    const method = rpcOf("fraud.v1.FraudService/SubmitDecision");
    const settings = { reviewLimits: [{ currencyCode: "EUR", minorUnits: "1" }] };
    const operator = { tenant: A, role: "operator" } as const;
    await world.call(rpcOf("fraud.v1.FraudService/UpdateSettings"), { settings }, operator);
    const checkId = randomUUID();
    const amount = { currencyCode: "EUR", minorUnits: "5" };
    const check = { checkId, paymentId: checkId, accountId: accountOf(A), amount };
    const service = { headers: asService(A) };
    await world.call(rpcOf("fraud.v1.FraudService/Evaluate"), check, service);
    const decision = { ...restOf(method), checkId, actor: "somebody-else" };
    for (const role of rolesOf(method).filter((one) => one !== "service")) {
      const { outcome, message } = await world.call(method, decision, { tenant: A, role });
      expect(outcome).toBe("PermissionDenied ROLE_MISSING");
      expect(message).toContain("actor");
    }
    const { outcome, json } = await world.call(method, decision, service);
    expect(outcome).toBe("OK");
    expect(JSON.parse(json)).toMatchObject({ check: { decidedBy: "somebody-else" } });
  });
});

describe("payers", () => {
  const method = (name: string): DescMethod => rpcOf(`payment.v1.PaymentService/${name}`);
  const payer = { tenant: A, role: "payer" } as const;
  const amount = { currencyCode: "USD", minorUnits: "1" };

  test("cannot pay from an account by naming its owner", async () => {
    const ofOther = { userId: `owner-of-other-${A}`, amount };
    const ofNobody = { userId: "owner-of-nothing", amount };
    const [theirs, none] = [
      await world.call(method("Create"), ofOther, payer),
      await world.call(method("Create"), ofNobody, payer),
    ];
    expect(theirs.outcome).toBe("NotFound ACCOUNT_NOT_FOUND");
    expect(theirs.message.replace(`other-${A}`, "nothing")).toBe(none.message);
    const own = await world.call(
      method("Create"),
      { userId: `owner-of-${accountOf(A)}`, amount },
      payer,
    );
    expect(own.outcome).toBe("OK");
  });

  test("are not answered another's stored answer by repeating the other's request", async () => {
    const paymentId = await world.object("payment_id", A, "other");
    const repeat = { requestId: "cancel-of-merchant", paymentId };
    const first = await world.call(method("Cancel"), repeat, { tenant: A, role: "merchant" });
    expect(first.outcome).toBe("FailedPrecondition NOT_CANCELLABLE");
    expect((await world.call(method("Cancel"), repeat, payer)).outcome).toBe(
      "NotFound PAYMENT_NOT_FOUND",
    );
    const create = {
      requestId: "pay-2",
      accountId: `other-${A}`,
      amount: { currencyCode: "USD", minorUnits: "1000" },
      waitUntil: "WAIT_UNTIL_COMPLETED",
    };
    expect((await world.call(method("Create"), create, payer)).outcome).toBe(
      "NotFound ACCOUNT_NOT_FOUND",
    );
  });

  test("find nothing by filtering for another's account", async () => {
    const { json } = await world.call(method("List"), { accountId: `other-${A}` }, payer);
    expect(JSON.parse(json)).toEqual({});
    expect((await world.call(method("List"), {}, payer)).json).toContain(
      await world.object("payment_id", A, "own"),
    );
  });
});

test("a service must name the tenant it acts for, so that forgetting it hits nobody", async () => {
  const method = rpcOf("account.v1.AccountService/ListAccounts");
  const { authorization = "" } = asService(A);
  expect((await world.call(method, {}, { headers: { authorization } })).outcome).toBe(
    "InvalidArgument INVALID_FIELD",
  );
  const wrong = { authorization, "settle-tenant": "no tenant!" };
  expect((await world.call(method, {}, { headers: wrong })).outcome).toBe(
    "InvalidArgument INVALID_FIELD",
  );
});

test("every unique index and every row's key begins with the tenant, so that ids of tenants never collide", async () => {
  const mongo = await world.stack.platform.mongo();
  const prefix = world.stack.env["SETTLE_DATABASE_PREFIX"];
  const { databases } = await mongo.db().admin().listDatabases({ nameOnly: true });
  const wrong: string[] = [];
  let seen = 0;
  for (const { name } of databases.filter((database) => database.name.startsWith(`${prefix}_`))) {
    for (const { name: collection } of await mongo
      .db(name)
      .listCollections({}, { nameOnly: true })
      .toArray()) {
      if (collection === "migrations") continue;
      const rows = mongo.db(name).collection(collection);
      seen += 1;
      for (const index of await rows.indexes()) {
        const [first = ""] = Object.keys(index.key);
        // A key is found by its public id, and tells the tenant.
        const isKeyId = collection === "keys" && first === "_id.id";
        if (index.unique && !/^(_id\.)?tenant$/.test(first) && !isKeyId)
          wrong.push(`${name}.${collection} ${index.name}`);
      }
      const rootless = await rows.countDocuments({ "_id.tenant": { $not: { $type: "string" } } });
      if (rootless > 0) wrong.push(`${name}.${collection}: ${rootless} rows without a tenant`);
    }
  }
  expect(wrong).toEqual([]);
  expect(seen).toBeGreaterThan(10);
});

/** Everything a tenant has that only its callers may change, as text. Background work is left out by what it writes. */
async function contents(tenant: string): Promise<unknown> {
  const platform = world.stack.platform;
  const found: Record<string, unknown> = {};
  for (const [database, names] of Object.entries({
    account: ["accounts", "transfers", "holds"],
    payment: ["payments", "refunds"],
    fraud: ["checks", "settings"],
    gateway: ["transactions"],
    edge: ["keys"],
  })) {
    const db = await platform.database(database);
    for (const name of names) {
      const rows = await db
        .collection(name)
        .find({ "_id.tenant": tenant })
        .sort({ _id: 1 })
        .toArray();
      found[`${database}.${name}`] = rows.map((row) => ({ ...row, sweepTime: null, notify: null }));
    }
  }
  return found;
}
