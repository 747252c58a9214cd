import http from "node:http";
import http2 from "node:http2";
import net from "node:net";
import tls from "node:tls";
import type { PortSecurity } from "../auth/security.ts";
import { mayBeCancelled, tend } from "./http2-session.ts";
import type { RpcLimits } from "./limits.ts";
import { createTarpit, type Tarpit, WATCHED_RESETS_MAX, waitCalmly } from "./tarpit.ts";

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

/** HTTP/2 knows six settings; a few unknown ones are nobody's fault. */
const SETTINGS_ENTRIES_MAX = 16;
/** HTTP/2 frames that make no sense, before the connection ends. */
const INVALID_FRAMES_MAX = 100;
/** From this part of its connections on a port closes those that are idle. */
const CROWDED = 0.9;
/** What an address may do that misbehaved a moment ago. */
const STRICT = { resetsBurst: WATCHED_RESETS_MAX, resetsPerSecond: 1 };

/** Where a port listens, and with which certificates. */
export interface PortPlace {
  readonly host: string;
  readonly port: number;
  /** Absent: in the clear. */
  readonly tls?: PortSecurity["tls"];
}

/**
 * Opens the port. Both protocols share it: in the clear the first three bytes of a connection tell which one it speaks,
 * over TLS the handshake does.
 */
export async function openPort(
  at: PortPlace,
  handler: PortHandler,
  limits: RpcLimits,
): Promise<Port> {
  const h1 = createHttp1(handler, limits);
  const h2 = createHttp2(handler, limits);
  const strict = { ...limits, ...STRICT };
  const strictH2 = createHttp2(handler, strict);
  const tarpit = createTarpit();
  const sockets = new Set<net.Socket>();
  const sessions = new Set<http2.ServerHttp2Session>();
  const keep = (session: http2.ServerHttp2Session, bounds: RpcLimits): void => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    const { remoteAddress } = session.socket;
    tend(session, bounds, () => tarpit.note(remoteAddress));
  };
  h2.on("session", (session) => keep(session, limits));
  // Whoever is remembered is remembered on for what ends a strict session, not only for what would end another.
  strictH2.on("session", (session) => keep(session, strict));
  const route = router(h1, h2, strictH2, tarpit);
  const server =
    at.tls === undefined
      ? net.createServer({ noDelay: true, keepAlive: true }, (socket) => {
          sniff(socket, limits.firstBytesMs, (isHttp2) => route(socket, isHttp2));
        })
      : createTls(at.tls, limits, (socket) => route(socket, socket.alpnProtocol === "h2"));
  server.maxConnections = limits.connectionsMax;
  server.on("connection", (socket: net.Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    // Idle connections may stay long, but not in the way of others.
    if (sockets.size >= limits.connectionsMax * CROWDED) h1.closeIdleConnections();
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

/** Hands connections on by protocol; one from an address that misbehaved waits first. */
function router(
  h1: http.Server,
  h2: http2.Http2Server,
  strictH2: http2.Http2Server,
  tarpit: Tarpit,
): (socket: net.Socket, isHttp2: boolean) => void {
  return (socket, isHttp2) => {
    const enter = (server: net.Server | http2.Http2Server | http.Server): void => {
      server.emit("connection", socket);
      process.nextTick(() => socket.resume());
    };
    const waitMs = isHttp2 ? tarpit.waitMs(socket.remoteAddress) : 0;
    if (waitMs === 0) {
      enter(isHttp2 ? h2 : h1);
      return;
    }
    void waitCalmly(socket, waitMs).then((calm) => {
      if (calm) enter(strictH2);
      else {
        tarpit.note(socket.remoteAddress);
        socket.destroy();
      }
    });
  };
}

/** Certificates that change are shown to the next connection; connections that are open live on. */
function createTls(
  { certificates, clientCertificates }: NonNullable<PortSecurity["tls"]>,
  limits: RpcLimits,
  route: (socket: tls.TLSSocket) => void,
): tls.Server {
  const server = tls.createServer(
    {
      ...certificates.current(),
      ALPNProtocols: ["h2", "http/1.1"],
      minVersion: "TLSv1.2",
      requestCert: clientCertificates,
      rejectUnauthorized: clientCertificates,
      handshakeTimeout: limits.firstBytesMs,
      noDelay: true,
      keepAlive: true,
    },
    (socket) => {
      socket.on("error", () => socket.destroy());
      route(socket);
    },
  );
  const release = certificates.onChange((material) => server.setSecureContext(material));
  server.once("close", release);
  // A handshake that fails is the caller's affair; Node closes its connection.
  server.on("tlsClientError", () => undefined);
  return server;
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

/** A request of HTTP/2 in the shape of HTTP/1. */
type Http2Request = http.IncomingMessage & { readonly stream: http2.ServerHttp2Stream };

function createHttp2(handler: PortHandler, limits: RpcLimits): http2.Http2Server {
  const server = http2.createServer({
    maxSessionMemory: limits.sessionMemoryMb,
    streamResetBurst: limits.resetsBurst,
    streamResetRate: limits.resetsPerSecond,
    maxSettings: SETTINGS_ENTRIES_MAX,
    maxSessionInvalidFrames: INVALID_FRAMES_MAX,
    settings: {
      maxConcurrentStreams: limits.concurrentStreamsMax,
      maxHeaderListSize: limits.headerBytesMax,
      enablePush: false,
    },
  });
  const answer: PortHandler = (request, response) => {
    // The setting binds a client only once it has acknowledged it.
    if (headerBytes(request) > limits.headerBytesMax) response.writeHead(431).end();
    else handler(request, response);
  };
  server.on("request", (request: Http2Request, response: http.ServerResponse) => {
    const { stream } = request;
    const unlessReset = (): void => {
      if (!stream.closed && !stream.destroyed) answer(request, response);
    };
    // A reset comes right behind its call: a turn later it is known, and nothing was begun in vain.
    if (mayBeCancelled(stream.session)) setImmediate(unlessReset);
    else unlessReset();
  });
  server.on("sessionError", () => {
    // The peer broke the protocol or the connection; Node has destroyed the session already.
  });
  return server;
}

function headerBytes(request: http.IncomingMessage): number {
  return request.rawHeaders.reduce((sum, text) => sum + text.length, 0);
}

function listen(server: net.Server, at: PortPlace): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(at.port, at.host, () => {
      server.off("error", reject);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : at.port);
    });
  });
}
