import type { IncomingMessage, ServerResponse } from "node:http";
import { Refusal } from "#kit/refusal.ts";
import type { HttpHandler } from "#kit/rpc/http-port.ts";
import { answerRefusal } from "#kit/rpc/plain-error.ts";
import { REQUEST_ID_HEADER, requestIdOf } from "#kit/rpc/request-id.ts";
import { VERSION } from "#kit/version.ts";
import { welcomePage, welcomeText } from "./welcome.ts";

/** Nothing on the page may load or run anything, nor may another page show it inside itself. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

/** Answers who looks at the edge before calling it: `/`, `/version` and `/openapi.yaml`. They tell nothing secret. */
export function edgePages(openApi: Buffer): HttpHandler {
  return (request, response) => {
    switch (request.url?.split("?", 1)[0]) {
      case "/":
        return reply(request, response, welcome(request));
      case "/version":
        return reply(request, response, {
          type: "application/json",
          body: `${JSON.stringify({ name: "settle", version: VERSION, api: "v1" })}\n`,
        });
      case "/openapi.yaml":
        return reply(request, response, { type: "application/yaml", body: openApi });
      default:
        return false;
    }
  };
}

interface Page {
  readonly type: string;
  readonly body: string | Buffer;
}

/** Browsers get a page, everybody else the same as text. */
function welcome({ headers }: IncomingMessage): Page {
  const host = headers.host ?? "127.0.0.1:8080";
  return headers.accept?.includes("text/html")
    ? { type: "text/html; charset=utf-8", body: welcomePage(host) }
    : { type: "text/plain; charset=utf-8", body: welcomeText(host) };
}

function reply(request: IncomingMessage, response: ServerResponse, page: Page): true {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    const refusal = new Refusal("METHOD_NOT_ALLOWED", { message: "read this path by GET" });
    answerRefusal(request, response, refusal, requestIdOf(request.headers[REQUEST_ID_HEADER]));
    return true;
  }
  response.writeHead(200, {
    "content-type": page.type,
    "content-length": Buffer.byteLength(page.body),
    "cache-control": "no-cache",
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    vary: "accept",
  });
  response.end(request.method === "HEAD" ? undefined : page.body);
  return true;
}
