import type { IncomingMessage } from "node:http";
import { Refusal } from "../refusal.ts";

/** Which web pages may drive this port. Callers that are no browsers send no Origin and are not bound by it. */
export interface PagePolicy {
  /** Host names a request may name besides those of this machine; `any` where credentials are asked for anyway. */
  readonly hosts: readonly string[] | "any";
  /** Origins whose pages may call, besides those of this machine. */
  readonly origins: readonly string[];
}

/** Pages of this machine, on any port. */
const LOCAL_ORIGIN = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;
const LOCAL_HOST = /^(([a-z0-9-]+\.)*localhost|127(\.\d{1,3}){3}|\[::1\])$/i;
/** A host with or without a port: what stands between is a name, an address, or an IPv6 address in brackets. */
const HOST = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

/** Methods that change nothing. */
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);
/** Probes tell nothing, and come by whatever name the prober knows. */
const PROBES = new Set(["/healthz", "/readyz"]);
/** What a browser says of a request that the page's own origin, or the person at the keyboard, asked for. */
const OWN_SITE = new Set(["same-origin", "same-site", "none"]);

/** Whether pages of an origin may call. */
export function isOriginAllowed(origin: string, origins: readonly string[]): boolean {
  return LOCAL_ORIGIN.test(origin) || origins.includes(origin);
}

/**
 * Why a request is refused because a page may be behind it, or undefined. A name that leads here and is not ours is a
 * page's way around the browser's rules (DNS rebinding); a foreign origin on a request that may change something is a
 * page that calls without being able to read the answer. Both would drive a stack that asks for no key.
 */
export function pageRefusal(request: IncomingMessage, policy: PagePolicy): Refusal | undefined {
  const { headers, method = "", url = "" } = request;
  const authority = headers[":authority"] ?? headers.host;
  const host = typeof authority === "string" ? authority : undefined;
  if (host !== undefined && !PROBES.has(url.split("?", 1)[0] ?? "")) {
    const refusal = hostRefusal(host, policy.hosts);
    if (refusal !== undefined) return refusal;
  }
  if (SAFE.has(method)) return undefined;
  const { origin } = headers;
  const site = headers["sec-fetch-site"];
  if (origin === undefined) {
    const foreign = typeof site === "string" && !OWN_SITE.has(site);
    return foreign ? originRefusal("a page of another site") : undefined;
  }
  const own = host !== undefined && /^https?:\/\/(.+)$/.exec(origin)?.[1] === host;
  return own || isOriginAllowed(origin, policy.origins) ? undefined : originRefusal(origin);
}

function hostRefusal(host: string, hosts: PagePolicy["hosts"]): Refusal | undefined {
  const name = HOST.exec(host)?.[1]?.toLowerCase();
  if (name === undefined) {
    return new Refusal("INVALID_FIELD", { message: "host: is not a host with an optional port" });
  }
  if (hosts === "any" || LOCAL_HOST.test(name) || hosts.includes(name)) return undefined;
  return new Refusal("HOST_NOT_ALLOWED", { metadata: { host: name.slice(0, 255) } });
}

function originRefusal(origin: string): Refusal {
  return new Refusal("ORIGIN_NOT_ALLOWED", { metadata: { origin: origin.slice(0, 255) } });
}
