import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { ContextValues } from "@connectrpc/connect";
import { Health } from "#gen/grpc/health/v1/health_pb.ts";
import { type AccessRule, accessRules, admit } from "../auth/access.ts";
import type { Authority, Caller } from "../auth/authority.ts";
import { hashSecret, KEY_PREFIX } from "../auth/key.ts";
import type { ReasonTable } from "../pure/reasons.ts";
import type { Admission } from "./admission.ts";
import { type Call, callKey } from "./call.ts";
import { callerKey, ruleKey, scopeKey } from "./context.ts";
import { toWire } from "./outcome.ts";
import { isCredentialRefusal, keepChecking } from "./recheck.ts";
import { reflectionServices } from "./reflection.ts";
import type { Strangers } from "./strangers.ts";

/** Services anyone may call: probes and tools have no key. */
export const EXEMPT_SERVICES: readonly DescService[] = [Health, ...reflectionServices];

/** Their full names. */
export const EXEMPT: ReadonlySet<string> = new Set(EXEMPT_SERVICES.map(({ typeName }) => typeName));

const API_KEY = new RegExp(`^Bearer +${KEY_PREFIX}`, "i");

/** Who may call what. */
export interface GateOptions {
  readonly services: readonly DescService[];
  readonly authority: Authority;
  readonly reasons: ReasonTable;
  /** Absent: no limit. */
  readonly admission?: Admission | undefined;
  /** Absent: refused credentials are not counted. */
  readonly strangers?: Strangers | undefined;
  /** How often the credentials of an open stream are checked, in milliseconds. */
  readonly recheckMs: number;
}

/** The part of a call that is known before its message is read. */
export interface Knock {
  readonly service: DescService;
  readonly method: DescMethod;
  readonly requestHeader: Headers;
  readonly values: ContextValues;
}

/** Lets a call in, or fails with what its caller is told. A call that was let in passes again. */
export type Gate = (knock: Knock) => Promise<void>;

/**
 * Runs before the message is read, so that whoever may not call costs nothing: says who calls, whether its role may,
 * and on whose behalf. Throws at once when an RPC of the services declares no access rule.
 */
export function createGate(options: GateOptions): Gate {
  const { services, reasons } = options;
  const rules = accessRules(services.filter(({ typeName }) => !EXEMPT.has(typeName)));
  return async (knock) => {
    const { service, method, values } = knock;
    if (EXEMPT.has(service.typeName) || values.get(ruleKey) !== undefined) return;
    const call = values.get(callKey);
    try {
      const rule = rules.get(method);
      if (rule === undefined) throw new Error(`${method.name} has no access rule`);
      await letIn(options, knock, rule, call);
    } catch (error) {
      throw toWire(error, reasons, call);
    }
  };
}

async function letIn(
  options: GateOptions,
  { method, requestHeader, values }: Knock,
  rule: AccessRule,
  call: Call | undefined,
): Promise<void> {
  const { authority, recheckMs } = options;
  const caller = await identify(options, requestHeader, call?.source ?? "");
  values.set(callerKey, caller);
  if (call !== undefined) call.caller = caller;
  const stream = method.methodKind !== "unary";
  // Before the role is looked at: a call that is refused counts against its caller's rate too.
  const admitted = options.admission?.enter(caller.credential, { control: rule.control, stream });
  if (admitted !== undefined) {
    call?.onEnd.push(admitted.leave);
    call?.onWait.push(admitted.wait);
  }
  values.set(scopeKey, admit(caller, rule));
  values.set(ruleKey, rule);
  if (stream && call !== undefined) {
    const check = async (): Promise<Caller> => authority.authenticate(requestHeader, "fresh");
    keepChecking(call, caller, check, recheckMs);
  }
}

async function identify(
  { authority, strangers }: GateOptions,
  headers: Headers,
  source: string,
): Promise<Caller> {
  const credentials = headers.get("authorization") ?? "";
  const shown = hashSecret(credentials);
  // Only a look at the database is spared: what is checked here, a service's key and a token, nobody can keep out.
  if (API_KEY.test(credentials)) strangers?.check(source, shown);
  try {
    const caller = await authority.authenticate(headers);
    strangers?.accepted(shown);
    return caller;
  } catch (error) {
    if (isCredentialRefusal(error)) {
      strangers?.refused(source);
      strangers?.check(source, shown);
    }
    throw error;
  }
}
