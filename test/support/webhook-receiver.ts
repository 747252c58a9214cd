import http from "node:http";
import type { AddressInfo } from "node:net";

/** A request as it came, before any parsing. */
export interface ReceivedHook {
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  /** The body as JSON. */
  readonly event: HookEvent;
}

/** What a receiver reads of an event. */
export interface HookEvent {
  readonly event_id: string;
  readonly type: string;
  readonly sequence: number;
  readonly occurred_at: string;
  readonly data: { readonly payment: Readonly<Record<string, unknown>> };
}

/** A merchant's server on loopback. */
export interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly hooks: readonly ReceivedHook[];
  /** Most requests that were open at once. */
  readonly openMax: number;
  /** Decides about the next ones: a status, or an answer of its own. Default 200. */
  answer: (hook: ReceivedHook, response: http.ServerResponse) => number | undefined;
}

/** Starts a merchant's server; `port` 0 takes a free one. */
export async function startReceiver(port = 0): Promise<Receiver> {
  const hooks: ReceivedHook[] = [];
  let open = 0;
  let openMax = 0;
  const server = http.createServer((request, response) => {
    open += 1;
    openMax = Math.max(openMax, open);
    response.once("close", () => {
      open -= 1;
    });
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const { url: path = "", headers } = request;
      // JSON enters here.
      const hook = { path, headers, body, event: JSON.parse(body || "{}") as HookEvent };
      hooks.push(hook);
      const status = receiver.answer(hook, response);
      if (status !== undefined) response.writeHead(status).end("ok");
    });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  // A listening TCP server has an address of this kind.
  const address = server.address() as AddressInfo;
  const receiver: Receiver = {
    url: `http://127.0.0.1:${address.port}/hooks`,
    port: address.port,
    hooks,
    get openMax() {
      return openMax;
    },
    answer: () => 200,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
}
