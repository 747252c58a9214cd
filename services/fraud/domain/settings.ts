/** Limits in minor units by ISO 4217 code; a currency that is missing has no limit. */
export type Limits = ReadonlyMap<string, bigint>;

/** The rules a check is measured by. */
export interface Settings {
  /** A payment above it fails. */
  readonly amountLimits: Limits;
  /** A payment above it waits for a person. */
  readonly reviewLimits: Limits;
  /** The sum of an account's passed payments may not rise above it. Empty means off. */
  readonly cumulativeLimits: Limits;
  /** Accounts whose payments fail. */
  readonly deniedAccountIds: ReadonlySet<string>;
  /** How long a check pretends to think, 0 to 60000. */
  readonly mockDelayMs: number;
}

/** Settings with the number of times they were replaced; 0 stands for those of the configuration. */
export interface VersionedSettings {
  readonly settings: Settings;
  readonly version: bigint;
}

/** No limit, nobody denied, no delay. */
export const NO_RULES: Settings = {
  amountLimits: new Map(),
  reviewLimits: new Map(),
  cumulativeLimits: new Map(),
  deniedAccountIds: new Set(),
  mockDelayMs: 0,
};
