import { readFileSync, statSync } from "node:fs";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import type { Log } from "../log.ts";

/** Files of one end of a connection; PEM. */
export interface TlsFiles {
  /** Own certificate, followed by its intermediates. */
  readonly cert?: string;
  readonly key?: string;
  /** Whom the other end's certificate must come from; absent: the authorities Node knows. */
  readonly ca?: string;
}

/** What the files say now. */
export type TlsMaterial = Pick<SecureContextOptions, "cert" | "key" | "ca">;

/** Certificates that are read again when their files change. */
export interface Certificates extends Disposable {
  current(): TlsMaterial;
  /** Calls back with new material after each change; returns how to stop. */
  onChange(listener: (material: TlsMaterial) => void): () => void;
}

/** How often the files are looked at, in milliseconds; an `mtime` is one system call. */
export const CERTIFICATE_CHECK_MS = 10_000;

/**
 * Reads the files at once, so that a wrong path or a key that does not fit stops the start. Later a change that cannot
 * be used (half written, a wrong key) is logged, and the certificates from before stay until the next look.
 */
export function watchCertificates(
  files: TlsFiles,
  log: Log,
  checkMs: number = CERTIFICATE_CHECK_MS,
): Certificates {
  const listeners = new Set<(material: TlsMaterial) => void>();
  let seen = stamps(files);
  let material = load(files);
  const check = (): void => {
    try {
      const now = stamps(files);
      if (now === seen) return;
      material = load(files);
      seen = now;
      log.info({ files }, "certificates read again");
      for (const listener of listeners) listener(material);
    } catch (error) {
      log.error({ err: error, files }, "changed certificates cannot be used; the old ones stay");
    }
  };
  const timer = setInterval(check, checkMs).unref();
  return {
    current: () => material,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** The same for a process that ends soon: read once. */
export function fixedCertificates(files: TlsFiles): Certificates {
  const material = load(files);
  return {
    current: () => material,
    onChange: () => () => undefined,
    [Symbol.dispose]: () => undefined,
  };
}

/**
 * Why the other end's certificate was not believed, when that is what lies at the bottom of an error; else undefined. One
 * that the other end did not believe is only a broken connection here.
 */
export function certificateFault(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = "code" in cause ? String(cause.code) : "";
    if (/CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)/.test(code)) return `${cause.message} (${code})`;
  }
  return undefined;
}

function load(files: TlsFiles): TlsMaterial {
  const material = {
    ...(files.cert === undefined ? {} : { cert: readFileSync(files.cert) }),
    ...(files.key === undefined ? {} : { key: readFileSync(files.key) }),
    ...(files.ca === undefined ? {} : { ca: readFileSync(files.ca) }),
  };
  // Throws when the key does not belong to the certificate, or a file is no PEM.
  createSecureContext(material);
  return material;
}

function stamps({ cert, key, ca }: TlsFiles): string {
  return [cert, key, ca].map((file) => (file === undefined ? "" : statSync(file).mtimeMs)).join();
}
