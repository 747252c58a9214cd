/** Longest time ahead that anybody sets a time to be looked at again, in milliseconds: a day and an hour. */
export const LOOK_AHEAD_MAX_MS = 25 * 3_600_000;

/**
 * Matches rows whose time has come, and those whose time lies further ahead than anybody sets one: it was written by a
 * clock that had jumped forward, and would hide the row until the clock gets there again.
 */
export function due(field: string, now: Date, aheadMaxMs = LOOK_AHEAD_MAX_MS) {
  const tooFar = new Date(now.getTime() + aheadMaxMs);
  return { $or: [{ [field]: { $lte: now } }, { [field]: { $gt: tooFar } }] };
}
