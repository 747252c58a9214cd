import { createHash } from "node:crypto";
import { checkEtag } from "#kit/etag.ts";
import type { Scope } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";
import type { Settings, VersionedSettings } from "../domain/settings.ts";
import type { FraudDeps } from "./deps.ts";

/** The rules with their etag. */
export interface CurrentSettings {
  readonly settings: Settings;
  /** Changes whenever the rules do, also when the configuration behind unreplaced rules does. */
  readonly etag: string;
}

/** Reads the rules. */
export async function getSettings(deps: FraudDeps, scope: Scope): Promise<CurrentSettings> {
  return current(await deps.store.readSettings(scope));
}

/** Another writer in between costs one try; without an etag the last writer wins. */
const TRIES_MAX = 10;

/**
 * Replaces the rules; checks that are evaluated after it has answered follow the new ones. Fails with ETAG_MISMATCH
 * when an etag is given and the rules changed meanwhile, and with WRITE_CONFLICT when others change them all the time.
 */
export async function updateSettings(
  deps: FraudDeps,
  scope: Scope,
  update: { readonly settings: Settings; readonly etag: string; readonly callId: string },
): Promise<CurrentSettings> {
  const { settings, etag, callId } = update;
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const stored = await deps.store.readSettings(scope);
    // This very call replaced them before, and its answer got lost.
    if (stored.callId === callId) return current(stored);
    checkEtag(etag, current(stored).etag);
    const replace = { expectedVersion: stored.version, callId };
    if (await deps.store.replaceSettings(scope, settings, replace)) {
      return current({ settings, version: stored.version + 1n });
    }
  }
  throw new Refusal("WRITE_CONFLICT");
}

function current({ settings, version }: VersionedSettings): CurrentSettings {
  const content = [
    `${version}`,
    ...[settings.amountLimits, settings.reviewLimits, settings.cumulativeLimits].map((limits) =>
      [...limits].map(([code, limit]) => `${code}:${limit}`).sort(),
    ),
    [...settings.deniedAccountIds].sort(),
    settings.mockDelayMs,
  ];
  const hash = createHash("sha256").update(JSON.stringify(content)).digest("base64url");
  return { settings, etag: hash.slice(0, 22) };
}
