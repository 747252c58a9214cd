/** Signature algorithms that may be allowed. Symmetric ones and `none` are not among them, whatever a token says. */
export const JWT_ALGORITHMS = [
  "EdDSA",
  "ES256",
  "ES384",
  "ES512",
  "PS256",
  "PS384",
  "PS512",
  "RS256",
  "RS384",
  "RS512",
] as const;

/** Name of an allowed signature algorithm. */
export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number];

/** What a token must be. */
export interface JwtConfig {
  /** Who must have issued a token. */
  readonly issuer: string;
  /** Whom a token must be for. */
  readonly audience: string;
  readonly algorithms: readonly JwtAlgorithm[];
  /** URL (https, or http on this machine) or path of a file with the issuer's public keys. */
  readonly jwks: string;
  /**
   * Values of the header `typ` that are taken, in lower case and without `application/`; `none`: a token without one.
   * Tokens for other uses, say of a logout, are signed by the same keys. `SETTLE_JWT_TYPES`; default `jwt,at+jwt`.
   */
  readonly types: readonly string[];
  /** Longest life of a token in milliseconds, from `iat` to `exp`. `SETTLE_JWT_LIFETIME_MAX`; default 24 h. */
  readonly lifetimeMaxMs: number;
}
