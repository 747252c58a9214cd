/** What one caller may take of a server. Tests shorten the durations; nothing else changes them. */
export interface RpcLimits {
  /** Largest request message, compressed and not, in bytes; where the contract grants an RPC more, that. */
  readonly readBytesMax: number;
  /** Largest response message, in bytes. */
  readonly writeBytesMax: number;
  /** How long the message of a call, or another body, may take to arrive, in milliseconds. */
  readonly bodyMs: number;
  /** Bytes of bodies that the process holds at once, of all its ports together. */
  readonly heldBytesMax: number;
  /** Longest unary call, reading the message included, in milliseconds. */
  readonly unaryMs: number;
  /** How long after its deadline a unary call may take to answer before it is cut off, in milliseconds. */
  readonly answerGraceMs: number;
  /** Longest stream, in milliseconds; then UNAVAILABLE, and the client resumes. */
  readonly streamMs: number;
  /** How long a connection may take to send its first bytes, in milliseconds. */
  readonly firstBytesMs: number;
  /**
   * How often the credentials of an open stream are checked, in milliseconds. What is read then may be a second old, so
   * a revoked key has no stream after 5 seconds.
   */
  readonly recheckMs: number;
  /** HTTP/1: how long the header may take, in milliseconds. */
  readonly headersMs: number;
  /** HTTP/1: how long header and body of a request may take, in milliseconds. */
  readonly requestMs: number;
  /**
   * HTTP/1: how long an idle connection stays open, in milliseconds. `SETTLE_KEEP_ALIVE`. Longer than the 600 s of common
   * balancers: who closes first must be the one who sends, or a request meets a connection that is just closed.
   */
  readonly keepAliveMs: number;
  /** Largest header of a request, in bytes. */
  readonly headerBytesMax: number;
  /** HTTP/2: streams at once on one connection. */
  readonly concurrentStreamsMax: number;
  /** HTTP/2: how long a connection without a stream stays open, in milliseconds. */
  readonly idleMs: number;
  /** HTTP/2: how often a connection is pinged; an unanswered ping ends it at the next, in milliseconds. */
  readonly pingMs: number;
  /** HTTP/2: how long a connection may stay open before its first stream, in milliseconds. */
  readonly unusedMs: number;
  /** HTTP/2: streams a peer may reset at once, and per second; then the connection ends (rapid reset). */
  readonly resetsBurst: number;
  readonly resetsPerSecond: number;
  /** HTTP/2: PING and SETTINGS frames of a peer in 10 s, besides two per stream; then the connection ends. */
  readonly controlFramesMax: number;
  /** Connections at once on one port; more are closed unanswered. */
  readonly connectionsMax: number;
  /** HTTP/2: memory of one connection, in megabytes. */
  readonly sessionMemoryMb: number;
}

/** The limits of every port (DESIGN section 4). */
export const RPC_LIMITS: RpcLimits = {
  readBytesMax: 64 * 1024,
  writeBytesMax: 4 * 1024 * 1024,
  bodyMs: 10_000,
  heldBytesMax: 64 * 1024 * 1024,
  unaryMs: 30_000,
  answerGraceMs: 2_000,
  streamMs: 3_600_000,
  recheckMs: 4_000,
  firstBytesMs: 10_000,
  headersMs: 10_000,
  requestMs: 40_000,
  keepAliveMs: 620_000,
  headerBytesMax: 16 * 1024,
  concurrentStreamsMax: 128,
  idleMs: 900_000,
  pingMs: 30_000,
  unusedMs: 120_000,
  resetsBurst: 256,
  resetsPerSecond: 33,
  controlFramesMax: 2_000,
  connectionsMax: 10_000,
  sessionMemoryMb: 10,
};
