import type { Scope } from "#kit/pure/scope.ts";
import type { Notice } from "../domain/notice.ts";

/** What the application asks of other services; the saga's own calls are its activities. */
export interface Peers {
  /** The owner's account in the currency, or undefined. */
  accountOf(scope: Scope, ownerId: string, currencyCode: string): Promise<string | undefined>;
  /** Stores a message once per id. */
  sendNotice(tenant: string, notice: Notice): Promise<void>;
}
