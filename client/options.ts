/** How calls travel. gRPC needs HTTP/2 all the way; the other two go through anything that speaks HTTP/1.1. */
export type Protocol = "grpc" | "connect" | "grpc-web";

/** How often and how fast a safe call is tried again. */
export interface RetryPolicy {
  /** Tries altogether, the first one included. Default 6; 1 never tries again. */
  readonly maxAttempts: number;
  /** The first pause is at most this long, in milliseconds. Default 100. */
  readonly firstPauseMs: number;
  /** No pause is longer, unless the server asks for more. Default 5,000. */
  readonly maxPauseMs: number;
}

/** Where Settle is and how it is called. */
export interface SettleClientOptions {
  /** The edge or a single service, such as `http://127.0.0.1:8080`. */
  readonly baseUrl: string;
  /** Services that are reached elsewhere than at `baseUrl`, by the client's name for them. */
  readonly services?: Readonly<Partial<Record<string, string>>>;
  /** An API key or a JSON web token, sent as a bearer credential. */
  readonly apiKey?: string;
  /** Default "grpc", in a browser "connect". */
  readonly protocol?: Protocol;
  /** The tenant to act for; honoured from callers with role `service` only. */
  readonly tenant?: string;
  /** Longest a unary call may take with all its tries, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  readonly retry?: Partial<RetryPolicy>;
  /** For mutual TLS or a private authority; PEM texts. In Node only. */
  readonly tls?: TlsOptions;
}

/** PEM texts of a private authority, and of the caller's own certificate. */
export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** What a call may be given besides its request. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Instead of the client's `timeoutMs`: all tries together, in milliseconds. */
  readonly timeoutMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export const DEFAULT_TIMEOUT_MS = 30_000;
export const DEFAULT_RETRY: RetryPolicy = { maxAttempts: 6, firstPauseMs: 100, maxPauseMs: 5_000 };
