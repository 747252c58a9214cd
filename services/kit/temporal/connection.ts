import { Client } from "@temporalio/client";
import type { DataConverter } from "@temporalio/common";
import { NativeConnection } from "@temporalio/worker";
import type { BaseConfig } from "../config.ts";
import type { Log } from "../log.ts";
import { createDataConverter } from "./data-converter.ts";
import { installRuntime } from "./runtime.ts";

/** A client and the native connection its workers share. */
export interface TemporalConnection {
  readonly client: Client;
  readonly connection: NativeConnection;
  /** For the workers of this connection. */
  readonly dataConverter: DataConverter;
}

/** Connects; sharing one native connection between client and worker is what makes eager start possible. */
export async function connectTemporal(
  config: Pick<BaseConfig, "temporalAddress" | "temporalNamespace" | "payloadKeys" | "security">,
  log: Log,
): Promise<TemporalConnection> {
  const dataConverter = createDataConverter(config);
  installRuntime(log);
  const connection = await NativeConnection.connect({ address: config.temporalAddress });
  const client = new Client({ connection, namespace: config.temporalNamespace, dataConverter });
  return { client, connection, dataConverter };
}
