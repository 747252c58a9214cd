import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** Certificate and key of one end, as files. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority of one test. */
export interface Authority extends Disposable {
  /** Its own certificate. */
  readonly ca: string;
  /** A certificate for 127.0.0.1 and localhost. `days` may be negative: then it has expired already. */
  issue(name: string, days?: number): Identity;
}

/** Makes an authority by openssl, in a directory that goes with it. */
export function createAuthority(): Authority {
  const dir = mkdtempSync(path.join(tmpdir(), "settle-ca-"));
  const file = (name: string): string => path.join(dir, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: dir, stdio: "pipe" });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...newKey,
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-days",
    "2",
    "-subj",
    "/CN=test ca",
  );
  writeFileSync(file("ext"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  return {
    ca: file("ca.pem"),
    issue(name, days = 1) {
      openssl(
        "req",
        ...newKey,
        "-keyout",
        `${name}.key`,
        "-out",
        `${name}.csr`,
        "-subj",
        `/CN=${name}`,
      );
      const signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "ext"];
      openssl(
        "x509",
        "-req",
        "-in",
        `${name}.csr`,
        ...signed,
        "-days",
        `${days}`,
        "-out",
        `${name}.pem`,
      );
      return { cert: file(`${name}.pem`), key: file(`${name}.key`) };
    },
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}
