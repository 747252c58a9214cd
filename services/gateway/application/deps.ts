import type { Certificates } from "#kit/auth/tls.ts";
import type { Log } from "#kit/log.ts";
import type { GatewayConfig } from "../config.ts";
import type { GatewayBook } from "./book.ts";

/** What the gateway's functions work with. */
export interface GatewayDeps {
  readonly book: GatewayBook;
  readonly config: GatewayConfig;
  readonly log: Log;
  /** What the merchant is shown and checked against; absent: the authorities Node knows. */
  readonly certificates: Certificates | undefined;
  readonly now: () => Date;
  /** Fires when the service stops, so that calls that hang by their behaviour end. */
  readonly closing: AbortSignal;
}
