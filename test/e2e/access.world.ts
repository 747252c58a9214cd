import { randomUUID } from "node:crypto";
import {
  type DescMethod,
  type DescService,
  getOption,
  type JsonObject,
  type JsonValue,
} from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { access } from "#gen/common/v1/access_pb.ts";
import { Health, HealthCheckResponse_ServingStatus } from "#gen/grpc/health/v1/health_pb.ts";
import { ROLE_MESSAGES, roleFromMessage } from "#kit/auth/access.ts";
import { ALL_ROLES, type Role } from "#kit/pure/scope.ts";
import { type AnyRpc, anyRpc, type Ended } from "#test/support/any-rpc.ts";
import { allServices } from "#test/support/contracts.ts";
import { type Stack, startStack } from "#test/support/stack.ts";
import { waitUntil } from "#test/support/wait-until.ts";

/** What services of this world know each other by. */
export const SERVICE_KEY = "a-service-key-of-this-test-of-32-characters";

/** Two tenants that hold objects under the same ids. */
export const TENANTS = ["shop-a", "shop-b"] as const;
export type Tenant = (typeof TENANTS)[number];

/** Ids that the server made, by the request's field that names them; `own` is the payer's, `other` somebody else's. */
type Made = Readonly<
  Record<"payment_id" | "refund_id", { readonly own: string; readonly other: string }>
>;

export interface World extends AsyncDisposable {
  readonly stack: Stack;
  /** RPCs of services that some port serves. */
  readonly methods: readonly DescMethod[];
  /** Calls an RPC as a role of a tenant; `headers` override who calls. */
  call(
    method: DescMethod,
    message: JsonObject,
    as:
      | { readonly tenant: Tenant; readonly role: Role }
      | { readonly headers: Readonly<Record<string, string>> },
  ): Promise<Ended>;
  /** An object of a tenant: the payer's own, or another payer's. */
  object(field: string, tenant: Tenant, whose: "own" | "other"): Promise<string>;
}

/** Starts everything in production mode, makes keys by KeyService, and gives both tenants the same things. */
export async function startWorld(): Promise<World> {
  const stack = await startStack({
    SETTLE_MODE: "production",
    SETTLE_SERVICE_KEY: SERVICE_KEY,
    SETTLE_SEED_DEMO: "0",
  });
  const addresses = new Map(Object.entries({ ...stack.addresses, auth: stack.addresses.edge }));
  const rpcs = new Map<string, AnyRpc>();
  const rpcOf = (service: DescService): AnyRpc => {
    const address = addresses.get(packageOf(service)) ?? "";
    const rpc = rpcs.get(address) ?? anyRpc(address);
    rpcs.set(address, rpc);
    return rpc;
  };
  const services = await servedServices(addresses);
  const methods = services.flatMap((service) => service.methods);
  const bearers = new Map<string, string>();
  const call: World["call"] = (method, message, as) => {
    const headers = "headers" in as ? as.headers : headersOf(bearers, as);
    return rpcOf(method.parent).call(method, message, headers);
  };
  const run = async (rpc: string, tenant: Tenant, message: JsonObject): Promise<JsonObject> => {
    const method = methods.find((one) => nameOf(one) === rpc);
    if (method === undefined) throw new Error(`${rpc} is not served`);
    // Endpoints are for people of the tenant only.
    const isOpen = rolesOf(method).includes("service");
    const as = isOpen ? { headers: asService(tenant) } : { tenant, role: "operator" as const };
    const ended = await call(method, message, as);
    if (ended.outcome !== "OK") throw new Error(`${rpc}: ${ended.outcome} ${ended.message}`);
    return JSON.parse(ended.json);
  };
  const made = new Map<Tenant, Made>();
  for (const tenant of TENANTS) {
    for (const role of ALL_ROLES) {
      const { secret } = await run("auth.v1.KeyService/CreateKey", tenant, keyOrder(role, tenant));
      bearers.set(`${tenant} ${role}`, String(secret));
    }
    made.set(tenant, await furnish(run, tenant));
  }
  return {
    stack,
    methods,
    call,
    async object(field, tenant, whose) {
      if (field === "payment_id" || field === "refund_id") {
        return made.get(tenant)?.[field][whose] ?? "";
      }
      if (field === "account_id") return `${whose === "own" ? "account" : "other"}-${tenant}`;
      const make = MAKERS[field];
      if (make !== undefined) return make(run, tenant);
      throw new Error(`access.world.ts makes no object for ${field}: add one to MAKERS`);
    },
    async [Symbol.asyncDispose]() {
      for (const rpc of rpcs.values()) rpc[Symbol.dispose]();
      await stack[Symbol.asyncDispose]();
    },
  };
}

/** Makes a new object of a tenant, for each call anew: some calls use an object up, and some leave a tombstone. */
const MAKERS: Readonly<Record<string, (run: Run, tenant: Tenant) => Promise<string>>> = {
  async hold_id(run, tenant) {
    const holdId = randomUUID();
    await run("account.v1.AccountService/PlaceHold", tenant, { ...holdOf(tenant), holdId });
    return holdId;
  },
  async transaction_id(run, tenant) {
    const transactionId = randomUUID();
    const credit = { transactionId, accountId: accountOf(tenant), amount: usd("5") };
    await run("account.v1.AccountService/Credit", tenant, credit);
    return transactionId;
  },
  /** Fraud knows a payment by its check. */
  async order_id(run, tenant) {
    const checkId = randomUUID();
    await run("fraud.v1.FraudService/Evaluate", tenant, checkOf(tenant, checkId));
    return `of-${checkId}`;
  },
  async check_id(run, tenant) {
    const checkId = randomUUID();
    await run("fraud.v1.FraudService/Evaluate", tenant, checkOf(tenant, checkId));
    return checkId;
  },
  async notification_id(run, tenant) {
    const notificationId = randomUUID();
    await run("notification.v1.NotificationService/Send", tenant, noteOf(notificationId));
    return notificationId;
  },
  async key_id(run, tenant) {
    const { key } = await run("auth.v1.KeyService/CreateKey", tenant, keyOrder("reviewer", tenant));
    return text(key, "keyId");
  },
  async endpoint_id(run, tenant) {
    const order = { url: HOOK };
    const { endpoint } = await run("notification.v1.WebhookService/CreateEndpoint", tenant, order);
    return text(endpoint, "endpointId");
  },
  async delivery_id(run, tenant) {
    const endpointId = await MAKERS["endpoint_id"]?.(run, tenant);
    await pay(run, tenant, accountOf(tenant), randomUUID());
    return waitUntil(
      async () => {
        const list = await run("notification.v1.WebhookService/ListDeliveries", tenant, {
          endpointId: endpointId ?? "",
        });
        const [first] = Array.isArray(list["deliveries"]) ? list["deliveries"] : [];
        return first === undefined ? undefined : text(first, "deliveryId");
      },
      { what: "a delivery to the endpoint" },
    );
  },
};

/** A name that never resolves: deliveries stay here. */
const HOOK = "https://hook.invalid/events";
const holdOf = (tenant: Tenant): JsonObject => ({
  accountId: accountOf(tenant),
  destinationAccountId: "same",
  amount: usd("7"),
});
const checkOf = (tenant: Tenant, checkId: string): JsonObject => ({
  checkId,
  paymentId: `of-${checkId}`,
  accountId: accountOf(tenant),
  amount: usd("7"),
});
const noteOf = (notificationId: string): JsonObject => ({
  notificationId,
  recipient: "somebody",
  channel: "CHANNEL_EMAIL",
  template: "TEMPLATE_PAYMENT_SUCCEEDED",
  variables: { amount: "12.50 USD" },
  paymentId: `of-${notificationId}`,
});

/** A text field of an answer. */
function text(object: JsonValue | undefined, field: string): string {
  const value =
    typeof object === "object" && object !== null && !Array.isArray(object)
      ? object[field]
      : undefined;
  if (typeof value === "string") return value;
  throw new Error(`the answer has no ${field}`);
}

export const accountOf = (tenant: Tenant): string => `account-${tenant}`;
export const nameOf = (method: DescMethod): string => `${method.parent.typeName}/${method.name}`;
export const rolesOf = (method: DescMethod): Role[] =>
  getOption(method, access).roles.flatMap((role) => roleFromMessage(role) ?? []);
export const usd = (minorUnits: string): JsonObject => ({ currencyCode: "USD", minorUnits });

export function asService(tenant: string): Record<string, string> {
  return { authorization: `Bearer ${SERVICE_KEY}`, "settle-tenant": tenant };
}

/** Everybody but a service names the other tenant too, which must change nothing. */
function headersOf(
  bearers: ReadonlyMap<string, string>,
  { tenant, role }: { readonly tenant: Tenant; readonly role: Role },
): Record<string, string> {
  const other = TENANTS.find((one) => one !== tenant) ?? "";
  return {
    authorization: `Bearer ${bearers.get(`${tenant} ${role}`)}`,
    "settle-tenant": role === "service" ? tenant : other,
  };
}

function keyOrder(role: Role, tenant: Tenant): JsonObject {
  const accounts = role === "payer" ? [accountOf(tenant), "same"] : [];
  return { subject: `the-${role}`, roles: [ROLE_MESSAGES[role]], accounts };
}

const packageOf = (service: DescService): string => service.typeName.split(".")[0] ?? "";

/** What is declared but not served yet has no port to ask. */
async function servedServices(addresses: ReadonlyMap<string, string>): Promise<DescService[]> {
  const checked = (await allServices()).map(async (service) => {
    const address = addresses.get(packageOf(service));
    if (address === undefined) return [];
    const health = createClient(Health, createGrpcTransport({ baseUrl: `http://${address}` }));
    const { status } = await health
      .check({ service: service.typeName })
      .catch(() => ({ status: HealthCheckResponse_ServingStatus.SERVICE_UNKNOWN }));
    return status === HealthCheckResponse_ServingStatus.SERVING ? [service] : [];
  });
  return (await Promise.all(checked)).flat();
}

type Run = (rpc: string, tenant: Tenant, message: JsonObject) => Promise<JsonObject>;

/** The same ids in both tenants, and one of each kind that only this tenant has. */
async function furnish(run: Run, tenant: Tenant): Promise<Made> {
  const account = (rpc: string, message: JsonObject) =>
    run(`account.v1.AccountService/${rpc}`, tenant, message);
  const accounts = [accountOf(tenant), `other-${tenant}`, "same"];
  for (const accountId of accounts) {
    await account("CreateAccount", {
      requestId: `open-${accounts.indexOf(accountId)}`,
      account: { accountId, ownerId: `owner-of-${accountId}`, currencyCode: "USD" },
    });
    await account("Credit", {
      transactionId: `fund-${accounts.indexOf(accountId)}`,
      accountId,
      amount: usd("100000"),
    });
  }
  for (const suffix of ["", `-${tenant}`]) {
    const accountId = accountOf(tenant);
    await account("Credit", { transactionId: `credit${suffix}`, accountId, amount: usd("5") });
    await account("PlaceHold", { ...holdOf(tenant), holdId: `hold${suffix}` });
    await run("fraud.v1.FraudService/Evaluate", tenant, checkOf(tenant, `check${suffix}`));
    await run("notification.v1.NotificationService/Send", tenant, noteOf(`note${suffix}`));
    await run("gateway.v1.GatewayService/Authorize", tenant, {
      idempotencyKey: `authorize${suffix}`,
      merchantReference: `reference${suffix}`,
      amount: usd("7"),
      paymentMethod: { mock: {} },
    });
  }
  const [own, other] = [
    await pay(run, tenant, accountOf(tenant), "1"),
    await pay(run, tenant, `other-${tenant}`, "2"),
  ];
  return {
    payment_id: { own: own.paymentId, other: other.paymentId },
    refund_id: { own: own.refundId, other: other.refundId },
  };
}

async function pay(run: Run, tenant: Tenant, accountId: string, number: string) {
  const { payment } = await run("payment.v1.PaymentService/Create", tenant, {
    requestId: `pay-${number}`,
    accountId,
    amount: usd("1000"),
    waitUntil: "WAIT_UNTIL_COMPLETED",
  });
  const paymentId = text(payment, "paymentId");
  const { refund } = await run("payment.v1.PaymentService/Refund", tenant, {
    requestId: `refund-${number}`,
    paymentId,
    amount: usd("10"),
  });
  return { paymentId, refundId: text(refund, "refundId") };
}

/** What an RPC's message must hold besides the field that names its object, to be more than a message that is refused. */
export function restOf(method: DescMethod): JsonObject {
  const unique = randomUUID();
  switch (nameOf(method)) {
    case "account.v1.AccountService/Validate":
      return { amount: usd("1") };
    case "account.v1.AccountService/Debit":
    case "account.v1.AccountService/Credit":
      return { transactionId: unique, amount: usd("1") };
    case "account.v1.AccountService/PlaceHold":
      return { holdId: unique, destinationAccountId: "same", amount: usd("1") };
    case "account.v1.AccountService/CaptureHold":
      return { transactionId: unique };
    case "payment.v1.PaymentService/Create":
      return { amount: usd("1") };
    case "fraud.v1.FraudService/SubmitDecision":
      return { decision: "FRAUD_DECISION_PASS" };
    case "fraud.v1.FraudService/SubmitOrderDecision":
      return { isValid: true };
    case "notification.v1.WebhookService/UpdateEndpoint":
      return { url: HOOK };
    default:
      return {};
  }
}
