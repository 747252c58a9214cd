import { copyFileSync, utimesSync, writeFileSync } from "node:fs";
import https from "node:https";
import tls from "node:tls";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import { developmentAuthority } from "#kit/auth/authority.ts";
import { type Certificates, type TlsFiles, watchCertificates } from "#kit/auth/tls.ts";
import { createLog } from "#kit/log.ts";
import { closePeers, createPeer } from "#kit/rpc/client.ts";
import type { RpcServer } from "#kit/rpc/server.ts";
import { type Authority, createAuthority, type Identity } from "#test/support/certificates.ts";
import { startStubServer } from "#test/support/stub-server.ts";
import { waitUntil } from "#test/support/wait-until.ts";

const log = createLog("silent");
let trusted: Authority;
let stranger: Authority;
let server: Identity;
const open: (Certificates | (RpcServer & AsyncDisposable))[] = [];

beforeAll(() => {
  trusted = createAuthority();
  stranger = createAuthority();
  server = trusted.issue("server");
});
afterEach(async () => {
  closePeers();
  for (const one of open.splice(0)) {
    if (Symbol.asyncDispose in one) await one[Symbol.asyncDispose]();
    else one[Symbol.dispose]();
  }
});
afterAll(() => {
  trusted[Symbol.dispose]();
  stranger[Symbol.dispose]();
});

function watch(files: TlsFiles, checkMs?: number): Certificates {
  const certificates = watchCertificates(files, log, checkMs);
  open.push(certificates);
  return certificates;
}

async function serve(certificates: Certificates, clientCertificates = false): Promise<number> {
  const security = { authority: developmentAuthority(), tls: { certificates, clientCertificates } };
  const handlers = {
    fraud: { getCheck: ({ checkId }: { checkId: string }) => ({ check: { checkId } }) },
  };
  const started = await startStubServer(handlers, { security });
  open.push(started);
  return started.port;
}

/** How a peer with these files fares at the port. */
async function call(port: number, files: TlsFiles): Promise<string> {
  const peer = createPeer(FraudService, `https://127.0.0.1:${port}`, {
    certificates: watch(files),
  });
  try {
    return (await peer.getCheck({ checkId: "c" })).check?.checkId ?? "nothing";
  } catch (error) {
    return Code[ConnectError.from(error).code];
  }
}

/** Serial number of the certificate a port shows. */
async function shown(port: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = tls.connect({ port, host: "127.0.0.1", rejectUnauthorized: false }, () => {
    resolve(socket.getPeerCertificate().serialNumber);
  });
  socket.once("error", reject);
  return promise.finally(() => socket.destroy());
}

describe("a port with a certificate", () => {
  test("is reached by peers that trust its authority, and by HTTP/1.1 on the same port", async () => {
    const port = await serve(watch(server));
    expect(await call(port, { ca: trusted.ca })).toBe("c");
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const ca = watch({ ca: trusted.ca }).current().ca;
    https
      .get({ host: "127.0.0.1", port, path: "/healthz", ca, agent: false }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      })
      .once("error", reject);
    expect(await promise).toBe(200);
  });

  test("is not believed when another authority made it", async () => {
    const port = await serve(watch(stranger.issue("impostor")));
    expect(await call(port, { ca: trusted.ca })).toBe("Unavailable");
  });

  test("is not believed when it has expired", async () => {
    const port = await serve(watch(trusted.issue("expired", -1)));
    expect(await call(port, { ca: trusted.ca })).toBe("Unavailable");
  });

  test("answers nobody in the clear", async () => {
    const port = await serve(watch(server));
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
  });

  test("takes no protocol older than TLS 1.2", async () => {
    const port = await serve(watch(server));
    const { promise, resolve } = Promise.withResolvers<string>();
    const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", rejectUnauthorized: false } as const;
    const socket = tls.connect({ port, host: "127.0.0.1", ...old }, () => resolve("connected"));
    socket.once("error", () => resolve("refused"));
    expect(await promise).toBe("refused");
    socket.destroy();
  });
});

describe("a port that asks for certificates", () => {
  test("answers whom its authority vouches for, and nobody else", async () => {
    const port = await serve(watch({ ...server, ca: trusted.ca }), true);
    const { ca } = trusted;
    expect(await call(port, { ...trusted.issue("peer"), ca })).toBe("c");
    expect(await call(port, { ca })).toBe("Unavailable");
    expect(await call(port, { ...stranger.issue("foreign"), ca })).toBe("Unavailable");
    expect(await call(port, { ...trusted.issue("late", -1), ca })).toBe("Unavailable");
  });
});

describe("certificates that change", () => {
  test("are shown without a restart; a half-written one changes nothing", async () => {
    const files = trusted.issue("rolling");
    const port = await serve(watch(files, 20));
    const first = await shown(port);
    writeFileSync(files.cert, "-----BEGIN CERTIFICATE-----\nhalf");
    expect(await call(port, { ca: trusted.ca })).toBe("c");
    expect(await shown(port)).toBe(first);
    const next = trusted.issue("next");
    copyFileSync(next.key, files.key);
    copyFileSync(next.cert, files.cert);
    utimesSync(files.cert, new Date(), new Date());
    await waitUntil(async () => (await shown(port)) !== first, { what: "the new certificate" });
    expect(await call(port, { ca: trusted.ca })).toBe("c");
  });

  test("a key that does not fit, or a missing file, stops the start", () => {
    const other = trusted.issue("other");
    expect(() => watch({ cert: server.cert, key: other.key })).toThrow(/key/i);
    expect(() => watch({ ca: "/nowhere/ca.pem" })).toThrow(/ENOENT/);
  });
});
