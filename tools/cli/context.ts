import type { DescService } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import type { Command } from "commander";
import type { PeerIdentity } from "#kit/auth/security.ts";
import { watchCertificates } from "#kit/auth/tls.ts";
import type { Env, ServiceName } from "#kit/config.ts";
import { createLog } from "#kit/log.ts";
import { createPeer, onBehalfOf } from "#kit/rpc/client.ts";
import { type Addresses, locateServices } from "./addresses.ts";

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

interface GlobalOptions {
  readonly address?: string;
  readonly dataDir?: string;
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
  const identity = identityOf(io.env);
  return {
    io,
    output: options.output,
    colour: io.terminal && !io.env["NO_COLOR"] && io.env["TERM"] !== "dumb",
    tenant: options.tenant,
    addresses,
    client: (name, service) => createPeer(service, addresses.services[name], identity),
    call: (timeoutMs = CALL_TIMEOUT_MS) =>
      onBehalfOf({ tenant: options.tenant }, { timeoutMs, signal: io.signal }),
  };
}

/** Who the command line is: SETTLE_API_KEY (a key or a token; never a flag, for flags are seen by everybody on the machine). */
function identityOf(env: Env): PeerIdentity {
  const text = (name: string): string | undefined => env[name] || undefined;
  const [ca, cert, key] = ["SETTLE_TLS_CA", "SETTLE_TLS_CLIENT_CERT", "SETTLE_TLS_CLIENT_KEY"].map(
    text,
  );
  const files = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
  const certificates =
    Object.keys(files).length === 0 ? undefined : watchCertificates(files, createLog("silent"));
  return { key: text("SETTLE_API_KEY"), certificates };
}
