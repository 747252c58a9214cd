/** How fast a bucket fills, in tokens per second, and how many it holds. */
export interface BucketSize {
  readonly perSecond: number;
  readonly burst: number;
}

/** Tokens of a bucket that had `tokens` so many milliseconds ago. */
export function refilled(
  tokens: number,
  elapsedMs: number,
  { perSecond, burst }: BucketSize,
): number {
  return Math.min(burst, tokens + (elapsedMs * perSecond) / 1_000);
}
