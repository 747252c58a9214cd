import type { Interceptor } from "@connectrpc/connect";
import { refuseField } from "../refusal.ts";
import { scopeKey } from "./context.ts";

/** How the request ids begin that Settle's own services make. */
export const RESERVED_PREFIX = "settle:";

/** Keeps callers from taking the request ids of Settle's own services, which are known beforehand. */
export function reservedIds(): Interceptor {
  return (next) => (request) => {
    if (request.stream || request.contextValues.get(scopeKey).roles.includes("service")) {
      return next(request);
    }
    const { message } = request;
    const id = "requestId" in message ? message.requestId : "";
    if (typeof id === "string" && id.startsWith(RESERVED_PREFIX)) {
      throw refuseField(
        "request_id",
        `must not begin with ${RESERVED_PREFIX}, which is Settle's own`,
      );
    }
    return next(request);
  };
}
