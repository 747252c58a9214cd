import http from "node:http";
import http2 from "node:http2";
import net from "node:net";
import type { RpcLimits } from "./limits.ts";

/**
 * Answers a request of either HTTP version: the compatibility API of node:http2 gives its requests and
 * responses the shape of node:http's.
 */
export type PortHandler = (request: http.IncomingMessage, response: http.ServerResponse) => void;

/** A listening socket that speaks HTTP/1.1 and cleartext HTTP/2. */
export interface Port {
  readonly port: number;
  /** Refuses new connections and tells HTTP/2 peers (GOAWAY) and idle HTTP/1 peers to go. */
  stopAccepting(): void;
  /** Ends whatever is still open after the grace time, in milliseconds. */
  destroy(graceMs: number): Promise<void>;
}

/** First bytes of an HTTP/2 connection; `PRI` is reserved, so no HTTP/1 request begins with it. */
const HTTP2_PREFACE = Buffer.from("PRI");

/** Opens the port. Both protocols share it: the first three bytes of a connection tell which one it speaks. */
export async function openPort(
  at: { readonly host: string; readonly port: number },
  handler: PortHandler,
  limits: RpcLimits,
): Promise<Port> {
  const h1 = createHttp1(handler, limits);
  const h2 = createHttp2(handler, limits);
  const sockets = new Set<net.Socket>();
  const sessions = new Set<http2.ServerHttp2Session>();
  h2.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    tend(session, limits);
  });
  const server = net.createServer({ noDelay: true, keepAlive: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    sniff(socket, limits.firstBytesMs, (isHttp2) => (isHttp2 ? h2 : h1).emit("connection", socket));
  });
  const closed = new Promise<void>((resolve) => server.once("close", resolve));
  const port = await listen(server, at);
  return {
    port,
    stopAccepting() {
      server.close();
      for (const session of sessions) session.close();
      h1.closeIdleConnections();
    },
    async destroy(graceMs) {
      if (server.listening) server.close();
      h1.close();
      // What was written last may still be on its way; connections without work close by themselves.
      const cut = setTimeout(() => {
        for (const session of sessions) session.destroy();
        for (const socket of sockets) socket.destroy();
      }, graceMs);
      await closed;
      clearTimeout(cut);
    },
  };
}

/** Waits for three bytes, puts them back, and hands the connection on. A connection that stays silent is closed. */
function sniff(socket: net.Socket, firstBytesMs: number, route: (isHttp2: boolean) => void): void {
  const onError = () => socket.destroy();
  const guard = setTimeout(onError, firstBytesMs);
  let seen: Buffer = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    if (seen.length < HTTP2_PREFACE.length) return;
    clearTimeout(guard);
    socket.off("data", onData);
    socket.pause();
    socket.unshift(seen);
    route(seen.subarray(0, HTTP2_PREFACE.length).equals(HTTP2_PREFACE));
    process.nextTick(() => socket.resume());
  };
  socket.on("error", onError);
  socket.on("data", onData);
  socket.once("close", () => clearTimeout(guard));
}

function createHttp1(handler: PortHandler, limits: RpcLimits): http.Server {
  const server = http.createServer(
    {
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.keepAliveMs,
      connectionsCheckingInterval: Math.min(limits.headersMs, 5_000),
    },
    handler,
  );
  // Node begins to look for slow and idle connections when the server listens, which this one never does itself.
  server.emit("listening");
  return server;
}

function createHttp2(handler: PortHandler, limits: RpcLimits): http2.Http2Server {
  const server = http2.createServer({
    maxSessionMemory: limits.sessionMemoryMb,
    settings: {
      maxConcurrentStreams: limits.concurrentStreamsMax,
      maxHeaderListSize: limits.headerBytesMax,
      enablePush: false,
    },
  });
  server.on("request", (request: http.IncomingMessage, response: http.ServerResponse) => {
    // The setting binds a client only once it has acknowledged it.
    if (headerBytes(request) > limits.headerBytesMax) response.writeHead(431).end();
    else handler(request, response);
  });
  server.on("sessionError", () => {
    // The peer broke the protocol or the connection; Node has destroyed the session already.
  });
  return server;
}

function headerBytes(request: http.IncomingMessage): number {
  return request.rawHeaders.reduce((sum, text) => sum + text.length, 0);
}

/** Closes a connection that nobody uses, and one whose peer does not answer pings: it is gone without a word. */
function tend(session: http2.ServerHttp2Session, limits: RpcLimits): void {
  let streams = 0;
  let usedMs = Date.now();
  session.on("stream", (stream) => {
    streams += 1;
    stream.once("close", () => {
      streams -= 1;
      usedMs = Date.now();
    });
  });
  let answered = true;
  const timer = setInterval(() => {
    // A session that was destroyed closes a little later; a ping in between would throw where nobody catches.
    if (session.destroyed) clearInterval(timer);
    else if (!answered) session.destroy();
    else if (streams === 0 && Date.now() - usedMs >= limits.idleMs) session.close();
    else {
      answered = false;
      session.ping(() => {
        answered = true;
      });
    }
  }, limits.pingMs).unref();
  session.once("close", () => clearInterval(timer));
}

function listen(
  server: net.Server,
  at: { readonly host: string; readonly port: number },
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(at.port, at.host, () => {
      server.off("error", reject);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : at.port);
    });
  });
}
