import { lookup } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import { type PostAnswer, post } from "./post.ts";
import { isPublicAddress } from "./public-address.ts";

/** Finds every address of a host name. Tests bring their own. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

/** Which targets of other people's choice may be reached. */
export interface OutboundPolicy {
  /** Lets loopback and private addresses through, for development and tests. */
  readonly allowPrivate: boolean;
  /** Lets `http:` through; without it only `https:`. */
  readonly allowHttp: boolean;
}

/** A request to an address that somebody else named. */
export interface OutboundRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly policy: OutboundPolicy;
  /** Ends the request, wherever it is: resolving, connecting, waiting for the answer. */
  readonly signal: AbortSignal;
  readonly resolve?: Resolve;
}

/** The target may not be reached: another address under the same name may be, later. */
export class ForbiddenTarget extends Error {
  override readonly name = "ForbiddenTarget";
}

const CONTROL = /[\p{Cc}\s]/u;

/** Largest header of an answer, in bytes. */
const ANSWER_HEADER_BYTES_MAX = 16 * 1024;

/**
 * What is wrong with a URL as a target, or undefined. Judged without asking DNS: a name is looked at when it is used,
 * because what it means can change in between.
 */
export function targetFault(url: string, policy: OutboundPolicy): string | undefined {
  // The parser would take line breaks and tabs out without a word.
  if (CONTROL.test(url)) return "must not hold spaces or control characters";
  const target = URL.canParse(url) ? new URL(url) : undefined;
  if (target === undefined) return "must be an absolute URL";
  const schemes = policy.allowHttp ? ["https:", "http:"] : ["https:"];
  if (!schemes.includes(target.protocol)) return `must begin with ${schemes.join("// or ")}//`;
  if (target.username !== "" || target.password !== "") return "must not hold a user name";
  if (target.hash !== "") return "must not hold a fragment";
  if (policy.allowPrivate) return undefined;
  const host = bareHost(target);
  const local = /(^|\.)(localhost|local|internal|localdomain)\.?$/i.test(host);
  const address = isIP(host) !== 0;
  return local || (address && !isPublicAddress(host))
    ? "must be on the public internet"
    : undefined;
}

/**
 * Posts a body and answers what came back. The host is resolved once, every address of it is checked, and the
 * connection goes to a checked address: a name that means something else a moment later changes nothing. Redirects
 * are answers like any other and not followed; the answer's body is thrown away. Throws ForbiddenTarget, or what failed.
 */
export async function postOutbound(request: OutboundRequest): Promise<PostAnswer> {
  const fault = targetFault(request.url, request.policy);
  if (fault !== undefined) throw new ForbiddenTarget(`the target ${fault}`);
  const target = new URL(request.url);
  const { headers, body, signal } = request;
  const connection = {
    // A connection of its own: a shared one could belong to an address that was never checked for this name.
    agent: false,
    lookup: pinned(await checkedAddress(target, request)),
    maxHeaderSize: ANSWER_HEADER_BYTES_MAX,
  };
  return post(target, { headers, body, signal, connection });
}

async function checkedAddress(target: URL, request: OutboundRequest): Promise<string> {
  const host = bareHost(target);
  const found = isIP(host) === 0 ? await unlessAborted(request, host) : [host];
  const [first] = found;
  if (first === undefined) throw new Error("the host has no address");
  // All of them: a name that points inside as well as outside has no honest use.
  if (!request.policy.allowPrivate && !found.every(isPublicAddress)) {
    throw new ForbiddenTarget("the target's name leads to an address that is not public");
  }
  return first;
}

/** The resolver of the system cannot be interrupted, so the wait for it is. */
async function unlessAborted(request: OutboundRequest, host: string): Promise<readonly string[]> {
  const { signal, resolve = systemResolve } = request;
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    signal.throwIfAborted();
    return await Promise.race([resolve(host), promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

async function systemResolve(hostname: string): Promise<readonly string[]> {
  return (await lookup(hostname, { all: true })).map(({ address }) => address);
}

/** Answers the checked address, whatever is asked. */
function pinned(address: string): LookupFunction {
  const family = isIP(address);
  return (_hostname, options, callback) => {
    if (options.all === true) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };
}

/** The host as an address, without the brackets of IPv6. */
function bareHost(target: URL): string {
  return target.hostname.replace(/^\[(.*)\]$/, "$1");
}
