import { readFileSync } from "node:fs";
import type { DescService } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import type { Command } from "commander";
import type { PeerIdentity } from "#kit/auth/security.ts";
import { fixedCertificates } from "#kit/auth/tls.ts";
import type { Env, ServiceName } from "#kit/config.ts";
import { createPeer, onBehalfOf } from "#kit/rpc/client.ts";
import { type Addresses, type AddressOptions, locateServices } from "./addresses.ts";
import { CommandFailure, UsageError } from "./errors.ts";

/** The world outside a command, so that tests run commands without a process of their own. */
export interface CliIo {
  readonly env: Env;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Whether standard output is a terminal; colours need one. */
  readonly terminal: boolean;
  /** Fires on Ctrl-C. */
  readonly signal: AbortSignal;
}

/** How answers are written. */
export type OutputFormat = "table" | "json";

interface GlobalOptions extends AddressOptions, CredentialOptions {
  readonly output: OutputFormat;
  readonly tenant: string;
}

/** What every command has in common: where the services are and how to answer. */
export interface Invocation {
  readonly io: CliIo;
  readonly output: OutputFormat;
  readonly colour: boolean;
  readonly tenant: string;
  readonly addresses: Addresses;
  /** A gRPC client of the service that owns `service`. */
  client<S extends DescService>(name: ServiceName, service: S): Client<S>;
  /** Call options: tenant, Ctrl-C, and a deadline in milliseconds (default 30 s, the server's own limit). */
  call(timeoutMs?: number): ReturnType<typeof onBehalfOf>;
}

const CALL_TIMEOUT_MS = 30_000;

/** Reads the global options of a command. */
export function invocationOf(command: Command, io: CliIo): Invocation {
  const options = command.optsWithGlobals<GlobalOptions>();
  const addresses = locateServices(options, io.env);
  const identity = identityOf(options, io.env);
  return {
    io,
    output: options.output,
    colour: io.terminal && !io.env["NO_COLOR"] && io.env["TERM"] !== "dumb",
    tenant: options.tenant,
    addresses,
    client: (name, service) => {
      refuseStopped(addresses, name, io.env);
      return createPeer(service, addresses.services[name], identity);
    },
    call: (timeoutMs = CALL_TIMEOUT_MS) =>
      onBehalfOf({ tenant: options.tenant }, { timeoutMs, signal: io.signal }),
  };
}

/** On the default ports may be somebody else's stack. */
function refuseStopped({ fault, dataDir }: Addresses, name: ServiceName, env: Env): void {
  if (fault === undefined || env[`SETTLE_URL_${name.toUpperCase()}`]) return;
  throw new CommandFailure(
    fault,
    `start it by npm start -- --data-dir ${dataDir}, or name another by --data-dir or --address`,
  );
}

/** Who the command line is and whom it believes; flags before variables. */
interface CredentialOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly certKey?: string;
  readonly apiKeyFile?: string;
}

/** The key itself is never a flag, for flags are seen by everybody on the machine. */
function identityOf(options: CredentialOptions, env: Env): PeerIdentity {
  const ca = options.ca ?? text(env, "SETTLE_TLS_CA");
  const cert = options.cert ?? text(env, "SETTLE_TLS_CLIENT_CERT");
  const key = options.certKey ?? text(env, "SETTLE_TLS_CLIENT_KEY");
  const files = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
  const certificates =
    Object.keys(files).length === 0
      ? undefined
      : usable("a certificate file", () => fixedCertificates(files));
  const keyFile = options.apiKeyFile ?? text(env, "SETTLE_API_KEY_FILE");
  const own = options.apiKeyFile === undefined ? text(env, "SETTLE_API_KEY") : undefined;
  if (own !== undefined || keyFile === undefined) return { key: own, certificates };
  return {
    key: usable("the key's file", () => readFileSync(keyFile, "utf8").trim()),
    certificates,
  };
}

function text(env: Env, name: string): string | undefined {
  return env[name] || undefined;
}

function usable<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UsageError(
      `${what} cannot be used: ${error instanceof Error ? error.message : error}`,
      "give paths of PEM files by --ca, --cert and --cert-key, that of a key by --api-key-file",
    );
  }
}
